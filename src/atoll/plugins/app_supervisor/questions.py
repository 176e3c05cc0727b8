"""Reading what is asked of environments from the parameters of a request."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from atoll.errors import BadRequest
from atoll.logs.formats import moment
from atoll.logs.reading import MOST_LINES, LogQuery

_LONGEST = 200


def log_query(params: Mapping[str, Any]) -> LogQuery:
    """`app kind level text request since until limit`; raises BadRequest for what cannot be understood."""
    given = {
        key: value
        for key in ("app", "kind", "level", "text", "request", "limit")
        if (value := params.get(key)) not in (None, "")
    }
    for key in ("since", "until"):
        if params.get(key):
            given[key] = _time(key, params[key])
    try:
        query = msgspec.convert(given, LogQuery, strict=False)
    except msgspec.ValidationError as error:
        raise BadRequest(f"Log lines cannot be looked up like that: {error}.") from error
    if not 1 <= query.limit <= MOST_LINES:
        raise BadRequest(f"`limit` must be a number from 1 to {MOST_LINES}.")
    if max(len(query.text), len(query.request)) > _LONGEST:
        raise BadRequest(f"`text` and `request` may have {_LONGEST} characters.")
    return query


def _time(key: str, value: object) -> str:
    try:
        at = datetime.fromisoformat(str(value))
        return moment((at if at.tzinfo is not None else at.replace(tzinfo=UTC)).timestamp())
    except (ValueError, OverflowError, OSError) as error:
        raise BadRequest(f"`{key}` must be a time like 2026-01-31T12:00:00Z.") from error

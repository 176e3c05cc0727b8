"""One line for each request that this server answered."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from atoll.gateway.decision import Decision
from atoll.gateway.resolver import Kind
from atoll.logs import LogFolder, RequestFields
from atoll.logs.formats import moment

if TYPE_CHECKING:
    from starlette.types import Scope

# Asked every second by machines, or plain files.
SILENT = frozenset({Kind.HEALTH, Kind.READY, Kind.ASSET})


class RequestLog:
    """Writes request lines to the folder of log files; never the query, which may carry a token."""

    def __init__(self, folder: LogFolder) -> None:
        self._folder = folder

    def answered(
        self,
        decision: Decision,
        scope: Scope,
        fields: RequestFields,
        status: int,
        begun: float,
        client: str,
    ) -> None:
        """Notes one answer.

        Args:
            status: 0 when the client was gone before there was one.
            begun: by `time.perf_counter`.
            client: the address where the request began.
        """
        if decision.resolved.kind in SILENT:
            return
        line = {
            "time": moment(time.time()),
            "level": "error" if status >= 500 else "info",
            "message": "request",
            **fields.fields(),
            "method": scope["method"],
            "path": decision.resolved.path.decode("latin-1"),
            "status": status,
            "cost": round((time.perf_counter() - begun) * 1000, 2),
            "client": client,
        }
        self._folder.request(fields.app, line)

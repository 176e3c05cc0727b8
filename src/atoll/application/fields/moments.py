"""Reading and writing points in time as text; shared by the date fields and the date filters."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone

from atoll.errors import InvalidValue

_FORM = re.compile(
    r"(\d{4})-(\d{1,2})-(\d{1,2})"
    r"(?:[T ](\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?)?"
    r"\s*(Z|z|[+-]\d{2}:?\d{2})?"
)
_OFFSET = re.compile(r"([+-])(\d{2}):?(\d{2})")


def parse_offset(text: str) -> timezone:
    """`+08:00` as a time zone; raises InvalidValue for anything else, zone names included."""
    if text in ("Z", "z", "+00:00"):
        return UTC
    match = _OFFSET.fullmatch(text)
    if not match or int(match[2]) > 23 or int(match[3]) > 59:
        raise InvalidValue(f"{text!r} is not a time zone; expected an offset such as +08:00")
    minutes = int(match[2]) * 60 + int(match[3])
    return timezone(timedelta(minutes=-minutes if match[1] == "-" else minutes))


def parse_moment(text: str) -> tuple[datetime, bool]:
    """Reads `YYYY-MM-DD[ HH:mm[:ss[.SSS]]][offset]`; raises ValueError.

    Returns:
        The aware moment (UTC when no offset is given) and whether an offset was given.
    """
    match = _FORM.fullmatch(text.strip())
    if not match:
        raise ValueError(text)
    year, month, day, hour, minute, second, fraction, offset = match.groups()
    milliseconds = int((fraction or "0")[:3].ljust(3, "0"))
    zone = parse_offset(offset) if offset else UTC
    moment = datetime(
        int(year),
        int(month),
        int(day),
        int(hour or 0),
        int(minute or 0),
        int(second or 0),
        milliseconds * 1000,
        zone,
    )
    return moment, offset is not None


def iso_text(moment: datetime) -> str:
    """ISO 8601 in UTC with milliseconds and `Z`, the form of the API and of SQLite columns."""
    if moment.tzinfo is not UTC:
        moment = moment.astimezone(UTC)
    return moment.isoformat(timespec="milliseconds")[:-6] + "Z"


def now_ms() -> datetime:
    """Now, cut to milliseconds as the columns are."""
    now = datetime.now(UTC)
    return now.replace(microsecond=now.microsecond // 1000 * 1000)

"""Values in spreadsheets and CSV files: what the field types share when they read and write cells."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta, tzinfo
from decimal import Decimal
from typing import Any, Final

from atoll.application.fields.moments import parse_moment

Cell = str | int | float | bool | Decimal | datetime | date | time | timedelta | None
"""What a cell can hold. CSV gives text only; spreadsheets give the others too."""

_EPOCH: Final = datetime(1899, 12, 30)  # noqa: DTZ001 - day 0 of spreadsheets, a wall clock
_LATEST_SERIAL: Final = 2_958_466
_TOKENS: Final[Mapping[str, str]] = {
    "YYYY": "%Y", "MM": "%m", "DD": "%d", "HH": "%H", "mm": "%M", "ss": "%S",
}  # fmt: skip
_TOKEN: Final = re.compile("|".join(_TOKENS))
_COMPACT: Final = re.compile(r"(\d{4})(\d{2})(\d{2})(?:\s+(\d{1,2}:\d{2}(?::\d{2})?))?")
_SEPARATORS: Final = re.compile(r"[,，、;；]")


def empty(cell: Cell) -> bool:
    """Whether there is nothing in the cell."""
    return cell is None or (isinstance(cell, str) and not cell.strip())


def shown(cell: Cell) -> str:
    """The cell as text, the way people see it."""
    if cell is None:
        return ""
    if isinstance(cell, datetime):
        return cell.strftime("%Y-%m-%d" if cell.time() == time() else "%Y-%m-%d %H:%M:%S")
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e15:
        return str(int(cell))
    return str(cell)


def properties(options: Mapping[str, Any]) -> Mapping[str, Any]:
    """The settings of the field's input in the user interface."""
    schema = options.get("uiSchema")
    found = schema.get("x-component-props") if isinstance(schema, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def choices(options: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Value and label of each choice of a select, in their order."""
    schema = options.get("uiSchema")
    listed = schema.get("enum") if isinstance(schema, Mapping) else None
    found = []
    for item in listed if isinstance(listed, list) else ():
        if isinstance(item, Mapping) and item.get("value") is not None:
            found.append((str(item["value"]), str(item.get("label") or item["value"])))
        elif isinstance(item, str):
            found.append((item, item))
    return found


def label_of(options: Mapping[str, Any], value: str) -> str:
    """The label of a choice, or the value itself."""
    return next((label for known, label in choices(options) if known == value), value)


def choice_of(options: Mapping[str, Any], text: str) -> str | None:
    """The value that a text means: a label first, then a value; None when it is neither."""
    text = text.strip()
    known = choices(options)
    for value, label in known:
        if label == text:
            return value
    return next((value for value, _ in known if value == text), None)


def parts(text: str) -> list[str]:
    """The items of a list in one cell."""
    return [part.strip() for part in _SEPARATORS.split(text) if part.strip()]


def moment_format(options: Mapping[str, Any]) -> str:
    """How a point in time is written, for `strftime`: by `dateFormat`, `showTime` and `timeFormat`."""
    given = properties(options)
    day, clock = given.get("dateFormat"), given.get("timeFormat")
    pattern = day if isinstance(day, str) and day else "YYYY-MM-DD"
    if given.get("showTime") is not False:
        pattern += " " + (clock if isinstance(clock, str) and "a" not in clock.lower() else "HH:mm:ss")
    return _TOKEN.sub(lambda match: _TOKENS[match[0]], pattern.replace("%", "%%"))


def wall_time(cell: Cell, pattern: str) -> datetime | None:
    """The wall clock time that a cell shows; None for a text that carries an offset or is in no known form.

    Known are the spreadsheet's own dates and serial numbers, `pattern`, `YYYY-MM-DD`, `YYYY/MM/DD` and
    `YYYYMMDD`, the last three with or without a time.
    """
    if isinstance(cell, datetime):
        return cell.replace(tzinfo=None)
    if isinstance(cell, date):
        return datetime.combine(cell, time())
    if isinstance(cell, (int, float, Decimal)) and not isinstance(cell, bool):
        serial = float(cell)
        if not 0 <= serial < _LATEST_SERIAL:
            return None
        return _EPOCH + timedelta(seconds=round(serial * 86_400))
    if not isinstance(cell, str):
        return None
    text = cell.strip()
    try:
        return datetime.strptime(text, pattern)  # noqa: DTZ007 - a wall clock
    except ValueError:
        pass
    compact = _COMPACT.fullmatch(text)
    if compact:
        text = "-".join(compact.groups()[:3]) + (f" {compact[4]}" if compact[4] else "")
    try:
        moment, zoned = parse_moment(text.replace("/", "-"))
    except ValueError:
        return None
    return None if zoned else moment.replace(tzinfo=None)


def in_zone(wall: datetime, zone: tzinfo) -> str:
    """ISO text of a wall clock time in a zone, as clients send it."""
    return wall.replace(tzinfo=zone).isoformat(timespec="milliseconds")


def plain_number(cell: Cell) -> Cell:
    """A number without what people write around it: grouping goes, `n/a` and `-` mean no value."""
    if not isinstance(cell, str):
        return cell
    text = cell.replace(",", "").replace("\u00a0", "").strip()
    return None if text.lower() in ("", "n/a", "-") else text

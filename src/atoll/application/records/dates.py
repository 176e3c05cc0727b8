"""Operands of the date operators: which span of time they mean (http-api.md 4.6)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

from atoll.application.fields.moments import parse_moment, parse_offset
from atoll.errors import InvalidValue

_OFFSET = re.compile(r"(.*?)\s*([+-]\d{2}:\d{2})")
_YEAR = re.compile(r"(\d{4})")
_QUARTER = re.compile(r"(\d{4})-?Q([1-4])")
_ISO_WEEK = re.compile(r"(\d{4})W(\d{2})")
_LOCALE_WEEK = re.compile(r"(\d{4})w(\d{2})")
_MONTH = re.compile(r"(\d{4})-(\d{2})")
_DAY_TIME = re.compile(r"(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2})(?::(\d{2})(?::(\d{2})(?:\.(\d{3}))?)?)?)?")
_INTERVAL = re.compile(r"([\[(])([^,\])]+),([^,\])]+)([\])])\s*([+-]\d{2}:\d{2})?")


@dataclass(frozen=True, slots=True)
class Span:
    """`start` ≤ t < `end`; `end` is None for an exact instant."""

    start: datetime
    end: datetime | None


def bad_operand(operand: Any) -> InvalidValue:
    """The error for what is no date."""
    return InvalidValue(f"{operand!r} is not a date or a span of time")


def read_span(operand: Any, zone: tzinfo, now: datetime) -> Span:
    """The span of one operand of `$dateOn` and the like, in `zone` when it has no offset of its own."""
    if isinstance(operand, Mapping):
        return relative_span(operand, zone, now)
    if isinstance(operand, list):
        return read_between(operand, zone, now)
    if not isinstance(operand, str):
        raise bad_operand(operand)
    if operand[:1] in ("[", "("):
        return read_between(operand, zone, now)
    try:
        return _text_span(operand.strip(), zone)
    except (ValueError, OverflowError):
        raise bad_operand(operand) from None


def read_between(operand: Any, zone: tzinfo, now: datetime) -> Span:
    """The span of `$dateBetween`: from the start of the first to the end of the second."""
    if isinstance(operand, Mapping):
        return relative_span(operand, zone, now)
    if isinstance(operand, str):
        match = _INTERVAL.fullmatch(operand.strip())
        if not match:
            return read_span(operand, zone, now)
        opening, first, last, closing, offset = match.groups()
        operand = [first.strip(), last.strip(), opening + closing, offset]
    if not isinstance(operand, list) or len(operand) < 2:
        raise bad_operand(operand)
    brackets = operand[2] if len(operand) > 2 and operand[2] else "[]"
    if len(operand) > 3 and operand[3]:
        zone = parse_offset(str(operand[3]))
    if not isinstance(brackets, str) or len(brackets) != 2 or operand[0] is None or operand[1] is None:
        raise bad_operand(operand)
    first, last = read_span(operand[0], zone, now), read_span(operand[1], zone, now)
    start = first.start if brackets[0] == "[" else first.end or first.start
    end = last.end or last.start if brackets[1] == "]" else last.start
    return Span(start, end)


def _text_span(text: str, zone: tzinfo) -> Span:
    if text[-1:] in ("Z", "z"):
        return Span(parse_moment(text)[0], None)
    match = _OFFSET.fullmatch(text)
    if match and _looks_complete(match[1]):
        text, zone = match[1], parse_offset(match[2])
    if found := _YEAR.fullmatch(text):
        return unit_span(datetime(int(found[1]), 1, 1, tzinfo=zone), "year")
    if found := _QUARTER.fullmatch(text):
        return unit_span(datetime(int(found[1]), int(found[2]) * 3 - 2, 1, tzinfo=zone), "quarter")
    if found := _ISO_WEEK.fullmatch(text):
        return unit_span(
            datetime.fromisocalendar(int(found[1]), int(found[2]), 1).replace(tzinfo=zone), "isoWeek"
        )
    if found := _LOCALE_WEEK.fullmatch(text):
        first = unit_span(datetime(int(found[1]), 1, 1, tzinfo=zone), "week").start
        return unit_span(first + timedelta(weeks=int(found[2]) - 1), "week")
    if found := _MONTH.fullmatch(text):
        return unit_span(datetime(int(found[1]), int(found[2]), 1, tzinfo=zone), "month")
    found = _DAY_TIME.fullmatch(text)
    if not found:
        raise ValueError(text)
    year, month, day, hour, minute, second, millisecond = found.groups()
    start = datetime(
        int(year), int(month), int(day), int(hour or 0), int(minute or 0), int(second or 0),
        int(millisecond or 0) * 1000, zone,
    )  # fmt: skip
    if millisecond:
        return Span(start, start + timedelta(milliseconds=1))
    step = "second" if second else "minute" if minute else "hour" if hour else "day"
    return Span(start, start + timedelta(**{step + "s": 1}))


def _looks_complete(text: str) -> bool:
    """`2024-03-10+08:00` has an offset, `2024-03-10` does not."""
    return bool(text) and any(
        form.fullmatch(text) for form in (_YEAR, _QUARTER, _MONTH, _DAY_TIME, _ISO_WEEK)
    )


def unit_span(moment: datetime, unit: str) -> Span:
    """The calendar unit that holds `moment`, in its zone. Weeks start on Sunday, `isoWeek` on Monday."""
    start = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    if unit == "isoWeek":
        start -= timedelta(days=start.weekday())
    elif unit == "week":
        start -= timedelta(days=(start.weekday() + 1) % 7)
    elif unit == "month":
        start = start.replace(day=1)
    elif unit == "quarter":
        start = start.replace(month=(start.month - 1) // 3 * 3 + 1, day=1)
    elif unit == "year":
        start = start.replace(month=1, day=1)
    elif unit != "day":
        raise bad_operand(unit)
    return Span(start, shift(start, unit, 1))


def shift(start: datetime, unit: str, count: int) -> datetime:
    """`start`, the beginning of a unit, moved by `count` units."""
    if unit in ("day", "week", "isoWeek"):
        return start + timedelta(days=count if unit == "day" else count * 7)
    months = start.year * 12 + start.month - 1 + count * {"month": 1, "quarter": 3, "year": 12}[unit]
    return start.replace(year=months // 12, month=months % 12 + 1)


def relative_span(operand: Mapping[str, Any], zone: tzinfo, now: datetime) -> Span:
    """`{"type": "today"}`, `{"type": "past", "number": 3, "unit": "day"}` and the like."""
    kind = operand.get("type")
    try:
        if kind in ("past", "next"):
            count, unit = int(operand.get("number", 1)), str(operand.get("unit", "day"))
            unit = "isoWeek" if unit == "week" else unit
            current = unit_span(now.astimezone(zone), unit)
            if kind == "past":
                return Span(shift(current.start, unit, -count), current.start)
            end = shift(current.start, unit, count + 1)
            return Span(shift(current.start, unit, 1), end)
        span = named_span(str(kind), zone, now)
    except (ValueError, OverflowError, TypeError):
        raise bad_operand(operand) from None
    if span is None:
        raise bad_operand(operand)
    return span


_NAMED = re.compile(r"(this|last|next)(Week|IsoWeek|Month|Quarter|Year)")
_DAYS = re.compile(r"(last|next)(\d+)Days")


def named_span(name: str, zone: tzinfo, now: datetime) -> Span | None:
    """`today`, `thisWeek`, `last7Days`, ...; None for an unknown name."""
    local = now.astimezone(zone)
    if name == "now":
        return Span(now.astimezone(UTC), None)
    today = unit_span(local, "day").start
    if name in ("today", "yesterday", "tomorrow"):
        start = shift(today, "day", {"today": 0, "yesterday": -1, "tomorrow": 1}[name])
        return Span(start, shift(start, "day", 1))
    if found := _DAYS.fullmatch(name):
        count = int(found[2])
        if found[1] == "last":
            return Span(shift(today, "day", 1 - count), shift(today, "day", 1))
        return Span(shift(today, "day", 1), shift(today, "day", count + 1))
    if found := _NAMED.fullmatch(name):
        unit = found[2][0].lower() + found[2][1:]
        start = unit_span(local, unit).start
        start = shift(start, unit, {"this": 0, "last": -1, "next": 1}[found[1]])
        return Span(start, shift(start, unit, 1))
    return None

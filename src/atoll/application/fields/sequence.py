"""Numbers of invoices and the like: texts made of constants, counters and dates."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar, Final

from cronsim import CronSim, CronSimError

from atoll.application.fields.base import DatabaseKind
from atoll.application.fields.string import StringField
from atoll.errors import BadRequest, InvalidValue

_TOKEN = re.compile(r"YYYY|YY|MM|DD|HH|mm|ss")
_STRFTIME: Final = {"YYYY": "%Y", "YY": "%y", "MM": "%m", "DD": "%d", "HH": "%H", "mm": "%M", "ss": "%S"}
_KINDS: Final = ("string", "integer", "date")
_MOST_DIGITS: Final = 18


class Counter:
    """A counter among the patterns of a sequence.

    Attributes:
        key: its name among the counters of the field.
        digits: how many its text has at least; the counter begins anew after the largest of that size.
        start: its first number.
    """

    def __init__(self, index: int, options: Mapping[str, Any]) -> None:
        self.key = str(options.get("key") or index)
        self.digits = int(options.get("digits") or 1)
        self.start = int(options.get("start") or 0)
        self._cycle = options.get("cycle")

    @property
    def largest(self) -> int:
        """The number after which it begins anew."""
        return int(10**self.digits) - 1

    def begun(self, now: datetime) -> datetime | None:
        """When the running cycle began; None when there are none."""
        return next(CronSim(str(self._cycle), now, reverse=True)) if self._cycle else None


class SequenceField(StringField):
    """`sequence`: what `patterns` say, in their order; each counter gives a number to one record only.

    A number belongs to the transaction that makes the record: it is free again when that fails, and others
    wait for it meanwhile. With `inputable` people may give a value of their own; if `match` is set it must
    have the form of the patterns, and counters go on behind it.
    """

    types: ClassVar[tuple[str, ...]] = ("sequence",)

    def __init__(self, name: str, options: Mapping[str, Any]) -> None:
        super().__init__(name, options)
        self.read_only = not self.inputable

    @property
    def patterns(self) -> list[tuple[str, Mapping[str, Any]]]:
        """Kind and options of each part."""
        return [
            (str(each.get("type")), each.get("options") or {}) for each in self.options.get("patterns") or ()
        ]

    @property
    def counters(self) -> list[Counter]:
        """The counters, in their order."""
        return [
            Counter(index, options)
            for index, (kind, options) in enumerate(self.patterns)
            if kind == "integer"
        ]

    @property
    def inputable(self) -> bool:
        """Whether people may give the value."""
        return self.options.get("inputable") is True

    def text(self, numbers: Mapping[str, int], now: datetime) -> str:
        """The value for the numbers of the counters."""
        parts = []
        for index, (kind, options) in enumerate(self.patterns):
            if kind == "integer":
                counter = Counter(index, options)
                parts.append(str(numbers[counter.key]).zfill(counter.digits))
            elif kind == "date":
                pattern = str(options.get("format") or "YYYYMMDD")
                parts.append(_TOKEN.sub(lambda token: now.strftime(_STRFTIME[token[0]]), pattern))
            else:
                parts.append(str(options.get("value") or ""))
        return "".join(parts)

    def numbers_in(self, value: str) -> dict[str, int] | None:
        """The numbers of the counters in a value; None when it has not the form of the patterns."""
        form = []
        for kind, options in self.patterns:
            if kind == "integer":
                form.append(f"([0-9]{{{Counter(0, options).digits},}})")
            elif kind == "date":
                pattern = re.escape(str(options.get("format") or "YYYYMMDD"))
                form.append(_TOKEN.sub(lambda token: f"[0-9]{{{len(token[0])}}}", pattern))
            else:
                form.append(re.escape(str(options.get("value") or "")))
        match = re.fullmatch("".join(form), value)
        if match is None:
            return None
        return {
            counter.key: int(digits) for counter, digits in zip(self.counters, match.groups(), strict=True)
        }

    def parse(self, value: Any, kind: DatabaseKind) -> Any:
        """A value that people give."""
        text = super().parse(value, kind)
        if text and self.options.get("match") is True and self.numbers_in(text) is None:
            raise InvalidValue(f"{self.title}: {text[:60]!r} has not the form that the sequence gives")
        return text

    def initial(self, kind: DatabaseKind) -> Any:
        """None: the record engine counts."""
        return None

    def check_options(self) -> None:
        """Every pattern must be one."""
        patterns = self.options.get("patterns")
        if not isinstance(patterns, list) or not patterns:
            raise BadRequest(f"{self.name}: `patterns` is required: what the value is made of")
        for each in patterns:
            if not isinstance(each, Mapping) or each.get("type") not in _KINDS:
                raise BadRequest(f"{self.name}: the type of a pattern is one of {', '.join(_KINDS)}")
            options = each.get("options") or {}
            if not isinstance(options, Mapping):
                raise BadRequest(f"{self.name}: the `options` of a pattern are an object")
            if each["type"] == "integer":
                _check_counter(self.name, options)
        keys = [counter.key for counter in self.counters]
        if len(set(keys)) < len(keys):
            raise BadRequest(f"{self.name}: two counters have the same `key`")
        super().check_options()


def _check_counter(name: str, options: Mapping[str, Any]) -> None:
    digits = 1 if options.get("digits") is None else options["digits"]
    start = options.get("start") or 0
    if type(digits) is not int or not 1 <= digits <= _MOST_DIGITS:
        raise BadRequest(f"{name}: `digits` must be a whole number from 1 to {_MOST_DIGITS}")
    if type(start) is not int or not 0 <= start < 10**digits:
        raise BadRequest(f"{name}: `start` must be a whole number with at most {digits} digits")
    if options.get("cycle"):
        try:
            CronSim(str(options["cycle"]), datetime.now(UTC))
        except CronSimError as error:
            raise BadRequest(f"{name}: `cycle` is not a schedule: {error}") from None

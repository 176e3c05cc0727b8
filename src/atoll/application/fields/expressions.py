"""Formulas of fields: arithmetic, texts and conditions over the values of one record, and nothing else.

`{{price}} * {{quantity}}`, `IF({{paid}}, 'yes', 'no')`, `round({{total}} * 0.19, 2)`. Operators by rank:
`? :`, `or ||`, `and &&`, `not !`, `== = != <> < <= > >=`, `+ - &`, `* / %`, `^`. Names of functions have any
case. A formula of limited length is read once; working it out takes a time that its length limits.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from decimal import ROUND_HALF_UP, Decimal
from types import MappingProxyType
from typing import Any, Final

from atoll.errors import BadRequest

Value = float | str | bool | None
Evaluate = Callable[[Mapping[str, Value]], Value]

LONGEST: Final = 2_000
_DEEPEST: Final = 50
_MOST_OPERATORS: Final = 100
_LONGEST_TEXT: Final = 10_000
_TOKENS = re.compile(
    r"""\s*(?:(?P<number>\d+\.?\d*(?:[eE][+-]?\d{1,3})?|\.\d+)|(?P<text>"[^"]*"|'[^']*')"""
    r"""|\{\{\s*(?P<field>[A-Za-z0-9_\-]+)\s*\}\}|(?P<name>[A-Za-z_][A-Za-z0-9_.]*)"""
    r"""|(?P<sign>\|\||&&|==|!=|<>|<=|>=|[-+*/%^()<>=!?:,&]))"""
)


class NoValue(Exception):
    """The formula has no value for a record: something is missing, or not defined as a division by zero."""


class Formula:
    """A formula that was read.

    Attributes:
        fields: the names of the fields that it uses.
    """

    def __init__(self, text: str) -> None:
        if not isinstance(text, str) or not text.strip():
            raise BadRequest("A formula needs its `expression`")
        if len(text) > LONGEST:
            raise BadRequest(f"The formula is too long: at most {LONGEST} characters")
        reader = _Reader(text)
        self._evaluate = reader.whole()
        self.fields: frozenset[str] = frozenset(reader.fields)

    def value(self, record: Mapping[str, Value]) -> Value:
        """What the formula gives for a record; None when it has no value."""
        try:
            return self._evaluate(record)
        except (NoValue, ArithmeticError, ValueError):
            return None


class _Reader:
    """Reads by rank: each method reads what binds at least as strongly as its name says."""

    def __init__(self, text: str) -> None:
        self.fields: set[str] = set()
        self._tokens: list[tuple[str, str]] = []
        self._at = 0
        self._depth = 0
        self._operators = 0
        end = 0
        text = text.rstrip()
        while end < len(text):
            match = _TOKENS.match(text, end)
            if match is None:
                raise BadRequest(f"The formula is not understood from {text[end : end + 20]!r} on")
            kind = match.lastgroup or ""
            self._tokens.append((kind, match[kind]))
            end = match.end()

    def whole(self) -> Evaluate:
        """The whole formula."""
        found = self._choice()
        if self._at < len(self._tokens):
            raise BadRequest(f"The formula is not understood at {self._tokens[self._at][1]!r}")
        return found

    def _take(self, *signs: str) -> str | None:
        if self._at < len(self._tokens):
            kind, text = self._tokens[self._at]
            if kind in ("sign", "name") and text.lower() in signs:
                self._at += 1
                return text.lower()
        return None

    def _need(self, sign: str) -> None:
        if self._take(sign) is None:
            raise BadRequest(f"The formula misses a {sign!r}")

    def _choice(self) -> Evaluate:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise BadRequest("The formula is nested too deeply")
        condition = self._binary(0)
        if self._take("?"):
            yes = self._choice()
            self._need(":")
            no = self._choice()
            self._depth -= 1
            return lambda record: yes(record) if truth(condition(record)) else no(record)
        self._depth -= 1
        return condition

    def _binary(self, rank: int) -> Evaluate:
        if rank == len(_RANKS):
            return self._unary()
        left = self._binary(rank + 1)
        while (sign := self._take(*_RANKS[rank])) is not None:
            self._count()
            left = _applied(_OPERATORS[sign], left, self._binary(rank + 1))
        return left

    def _unary(self) -> Evaluate:
        sign = self._take("-", "+", "!", "not")
        if sign is None:
            return self._power()
        self._depth += 1
        if self._depth > _DEEPEST:
            raise BadRequest("The formula is nested too deeply")
        operand = self._unary()
        self._depth -= 1
        if sign == "-":
            return lambda record: -number(operand(record))
        if sign == "+":
            return lambda record: number(operand(record))
        return lambda record: not truth(operand(record))

    def _power(self) -> Evaluate:
        base = self._single()
        if self._take("^") is None:
            return base
        self._count()
        return _applied(_raised, base, self._unary())

    def _count(self) -> None:
        self._operators += 1
        if self._operators > _MOST_OPERATORS:
            raise BadRequest(f"The formula has too many operators: at most {_MOST_OPERATORS}")

    def _single(self) -> Evaluate:
        if self._take("("):
            inner = self._choice()
            self._need(")")
            return inner
        if self._at >= len(self._tokens):
            raise BadRequest("The formula ends too early")
        kind, text = self._tokens[self._at]
        self._at += 1
        if kind == "number":
            constant = float(text)
            return lambda _: constant
        if kind == "text":
            inside = text[1:-1]
            return lambda _: inside
        if kind == "field":
            self.fields.add(text)
            return lambda record: record.get(text)
        if kind == "name":
            return self._named(text)
        raise BadRequest(f"The formula is not understood at {text!r}")

    def _named(self, name: str) -> Evaluate:
        constant = _CONSTANTS.get(name.lower(), name)
        if constant is not name:
            return lambda _: constant
        function = _FUNCTIONS.get(name.lower())
        if function is None:
            raise BadRequest(f"The formula uses {name!r}, which is none of {', '.join(sorted(_FUNCTIONS))}")
        self._need("(")
        arguments: list[Evaluate] = []
        if not self._take(")"):
            arguments.append(self._choice())
            while self._take(","):
                arguments.append(self._choice())
            self._need(")")
        least, most, work = function
        if not least <= len(arguments) <= most:
            raise BadRequest(f"The formula gives {name!r} {len(arguments)} values")
        return lambda record: work(*(each(record) for each in arguments))


def _applied(work: Callable[[Value, Value], Value], left: Evaluate, right: Evaluate) -> Evaluate:
    return lambda record: work(left(record), right(record))


def number(value: Value) -> float:
    """A value as a number; raises NoValue."""
    if value is None or value == "":
        raise NoValue
    try:
        found = float(value)
    except ValueError:
        raise NoValue from None
    if not math.isfinite(found):
        raise NoValue
    return found


def truth(value: Value) -> bool:
    """A value as a condition."""
    return bool(value)


def text_of(value: Value) -> str:
    """A value as text, as people write it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e21 else repr(value)
    return value


def _plus(left: Value, right: Value) -> Value:
    if isinstance(left, str) and isinstance(right, str):
        return _joined(left, right)
    return number(left) + number(right)


def _joined(*parts: Value) -> str:
    text = "".join(text_of(part) for part in parts)
    if len(text) > _LONGEST_TEXT:
        raise NoValue
    return text


def _raised(base: Value, exponent: Value) -> Value:
    return math.pow(number(base), number(exponent))


def _compared(work: Callable[[Any, Any], bool]) -> Callable[[Value, Value], Value]:
    def compare(left: Value, right: Value) -> Value:
        if isinstance(left, str) and isinstance(right, str):
            return work(left, right)
        return work(number(left), number(right))

    return compare


def _same(left: Value, right: Value) -> bool:
    if isinstance(left, str) == isinstance(right, str) or left is None or right is None:
        return left == right
    try:
        return number(left) == number(right)
    except NoValue:
        return False


def _rounded(value: Value, digits: Value = 0.0) -> Value:
    places = int(number(digits))
    if not -20 <= places <= 20:
        raise NoValue
    exact = Decimal(repr(number(value)))
    return float(exact.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP))


def _some(values: tuple[Value, ...]) -> list[float]:
    return [number(value) for value in values if value is not None and value != ""]


def _mean(*values: Value) -> Value:
    found = _some(values)
    return sum(found) / len(found)


def _chosen(condition: Value, yes: Value, no: Value = None) -> Value:
    return yes if truth(condition) else no


def _first(*values: Value) -> Value:
    return next((value for value in values if value is not None), None)


def _part(text: Value, start: Value, size: Value) -> Value:
    begin = max(int(number(start)) - 1, 0)
    return text_of(text)[begin : begin + max(int(number(size)), 0)]


_RANKS: Final = (
    ("or", "||"),
    ("and", "&&"),
    ("==", "=", "!=", "<>", "<", "<=", ">", ">="),
    ("+", "-", "&"),
    ("*", "/", "%"),
)
_OPERATORS: Final[Mapping[str, Callable[[Value, Value], Value]]] = MappingProxyType(
    {
        "or": lambda left, right: truth(left) or truth(right),
        "||": lambda left, right: truth(left) or truth(right),
        "and": lambda left, right: truth(left) and truth(right),
        "&&": lambda left, right: truth(left) and truth(right),
        "==": _same,
        "=": _same,
        "!=": lambda left, right: not _same(left, right),
        "<>": lambda left, right: not _same(left, right),
        "<": _compared(lambda left, right: left < right),
        "<=": _compared(lambda left, right: left <= right),
        ">": _compared(lambda left, right: left > right),
        ">=": _compared(lambda left, right: left >= right),
        "+": _plus,
        "-": lambda left, right: number(left) - number(right),
        "&": _joined,
        "*": lambda left, right: number(left) * number(right),
        "/": lambda left, right: number(left) / number(right),
        "%": lambda left, right: math.fmod(number(left), number(right)),
    }
)
_CONSTANTS: Final[Mapping[str, Value]] = MappingProxyType(
    {"true": True, "false": False, "null": None, "pi": math.pi, "e": math.e}
)
_MANY: Final = 100
_FUNCTIONS: Final[Mapping[str, tuple[int, int, Callable[..., Value]]]] = MappingProxyType(
    {
        "abs": (1, 1, lambda value: abs(number(value))),
        "average": (1, _MANY, _mean),
        "mean": (1, _MANY, _mean),
        "ceil": (1, 1, lambda value: float(math.ceil(number(value)))),
        "floor": (1, 1, lambda value: float(math.floor(number(value)))),
        "round": (1, 2, _rounded),
        "sqrt": (1, 1, lambda value: math.sqrt(number(value))),
        "pow": (2, 2, _raised),
        "power": (2, 2, _raised),
        "mod": (2, 2, lambda left, right: math.fmod(number(left), number(right))),
        "min": (1, _MANY, lambda *values: min(_some(values))),
        "max": (1, _MANY, lambda *values: max(_some(values))),
        "sum": (1, _MANY, lambda *values: float(sum(_some(values)))),
        "count": (1, _MANY, lambda *values: float(len(_some(values)))),
        "exp": (1, 1, lambda value: math.exp(number(value))),
        "log": (1, 1, lambda value: math.log(number(value))),
        "log10": (1, 1, lambda value: math.log10(number(value))),
        "if": (2, 3, _chosen),
        "and": (1, _MANY, lambda *values: all(truth(value) for value in values)),
        "or": (1, _MANY, lambda *values: any(truth(value) for value in values)),
        "not": (1, 1, lambda value: not truth(value)),
        "coalesce": (1, _MANY, _first),
        "concat": (1, _MANY, _joined),
        "concatenate": (1, _MANY, _joined),
        "upper": (1, 1, lambda value: text_of(value).upper()),
        "lower": (1, 1, lambda value: text_of(value).lower()),
        "trim": (1, 1, lambda value: text_of(value).strip()),
        "len": (1, 1, lambda value: float(len(text_of(value)))),
        "left": (2, 2, lambda text, size: _part(text, 1.0, size)),
        "mid": (3, 3, _part),
    }
)

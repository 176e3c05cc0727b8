"""Values that are worked out from others of the same record."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from types import MappingProxyType
from typing import Any, Final

from atoll.application.fields.base import DatabaseKind, Field
from atoll.application.fields.boolean import BooleanField
from atoll.application.fields.decimal import DecimalField
from atoll.application.fields.double import DoubleField
from atoll.application.fields.expressions import Formula, Value, text_of
from atoll.application.fields.integer import BigIntField, IntegerField
from atoll.application.fields.string import StringField
from atoll.errors import BadRequest, InvalidValue

_ENGINES: Final = ("math.js", "formula.js", "string")


class FormulaField(Field):
    """`formula`: `expression` over the fields of the record, kept in a column of type `dataType` (`double`).

    It is worked out when a record is written; what clients send for it is left out. Without a value (a field
    that it needs is empty, a division by zero) it is null.
    """

    def __init__(self, name: str, options: Mapping[str, Any]) -> None:
        super().__init__(name, options)
        self.read_only = True

    @cached_property
    def formula(self) -> Formula:
        """The formula; raises BadRequest when it is none."""
        if self.options.get("engine", "math.js") == "string":
            return Formula(_text_template(str(self.options.get("expression") or "")))
        return Formula(str(self.options.get("expression") or ""))

    def worked_out(self, record: Mapping[str, Value], kind: DatabaseKind) -> Any:
        """The driver value for a record's values."""
        value = self.formula.value(record)
        if value is None or value == "":
            return None
        if self.category == "text":
            value = text_of(value)
        elif isinstance(self, (IntegerField, BigIntField)) and isinstance(value, float):
            value = float(round(value))
        try:
            return self.parse(value, kind)
        except InvalidValue:
            return None

    def check_options(self) -> None:
        """The formula must be readable."""
        engine = self.options.get("engine", "math.js")
        if engine not in _ENGINES:
            raise BadRequest(f"{self.name}: `engine` is one of {', '.join(_ENGINES)}")
        _ = self.formula
        super().check_options()

    def initial(self, kind: DatabaseKind) -> Any:
        """None: it is worked out."""
        return None


def _text_template(text: str) -> str:
    """A text with fields in it, as the formula that joins its pieces."""
    pieces: list[str] = []
    rest = text
    while rest:
        before, opened, after = rest.partition("{{")
        if before:
            quote = "'" if '"' in before else '"'
            pieces.append(f"{quote}{before.replace(quote, ' ')}{quote}")
        name, _, rest = after.partition("}}")
        if opened:
            pieces.append("{{" + name + "}}")
    return f"concat({', '.join(pieces)})" if pieces else ""


class DoubleFormula(FormulaField, DoubleField):
    """A number."""


class IntegerFormula(FormulaField, IntegerField):
    """A whole number of 32 bits."""


class BigIntFormula(FormulaField, BigIntField):
    """A whole number of 64 bits."""


class DecimalFormula(FormulaField, DecimalField):
    """An exact decimal number."""


class TextFormula(FormulaField, StringField):
    """A short text."""


class BooleanFormula(FormulaField, BooleanField):
    """True or false."""


FORMULAS: Final[Mapping[str, type[FormulaField]]] = MappingProxyType(
    {
        "double": DoubleFormula,
        "float": DoubleFormula,
        "integer": IntegerFormula,
        "bigInt": BigIntFormula,
        "decimal": DecimalFormula,
        "string": TextFormula,
        "boolean": BooleanFormula,
    }
)

"""Exact decimal numbers."""

from __future__ import annotations

from datetime import tzinfo
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation, localcontext
from typing import Any, ClassVar

from atoll.application.fields.base import DatabaseKind, Decoder, Field
from atoll.application.fields.cells import Cell, plain_number
from atoll.errors import BadRequest, InvalidValue

_SQLITE_DIGITS = 15


class DecimalField(Field):
    """`decimal`: `precision` digits (10), `scale` of them decimals (0). Delivered as text with its scale."""

    types: ClassVar[tuple[str, ...]] = ("decimal",)
    category = "number"

    @property
    def precision(self) -> int:
        """All digits."""
        return int(self.options.get("precision") or 10)

    @property
    def scale(self) -> int:
        """Digits after the point."""
        return int(self.options.get("scale") or 0)

    def check_options(self) -> None:
        """Both must be whole numbers and the scale not larger than the precision."""
        for name in ("precision", "scale"):
            value = self.options.get(name)
            if value is not None and not (type(value) is int and 0 <= value <= 1000):
                raise BadRequest(f"{self.name}: {name} must be a whole number from 0 to 1000")
        if self.scale > self.precision:
            raise BadRequest(f"{self.name}: scale must not be larger than precision")
        super().check_options()

    def column_type(self, kind: DatabaseKind) -> str:
        """DECIMAL with its size."""
        return f"DECIMAL({self.precision}, {self.scale})"

    def _decimal(self, value: Any) -> Decimal:
        if isinstance(value, bool) or not isinstance(value, (int, float, str)):
            raise self.refuse(value, "a number")
        try:
            number = Decimal(str(value).strip())
        except InvalidOperation:
            raise self.refuse(value, "a number") from None
        if not number.is_finite():
            raise self.refuse(value, "a number")
        return number

    def parse(self, value: Any, kind: DatabaseKind) -> Any:
        """Within the scale; digits are never dropped in silence, but for the noise of binary fractions.

        SQLite holds 15 digits exactly; longer numbers are refused there.
        """
        with localcontext() as context:
            context.prec = 1100
            exact = self._decimal(value)
            try:
                number = exact.quantize(Decimal(1).scaleb(-self.scale), rounding=ROUND_HALF_UP)
            except InvalidOperation:
                raise InvalidValue(f"{self.title}: the number is too large") from None
            noise = isinstance(value, float) and len(exact.as_tuple().digits) > _SQLITE_DIGITS
            if number != exact and not noise:
                raise InvalidValue(f"{self.title}: at most {self.scale} decimals are kept")
        digits = len(number.as_tuple().digits)
        if digits > self.precision:
            raise InvalidValue(f"{self.title}: at most {self.precision - self.scale} digits before the point")
        if kind == "postgres":
            return number
        if digits > _SQLITE_DIGITS:
            raise InvalidValue(f"{self.title}: this database stores at most {_SQLITE_DIGITS} digits exactly")
        return float(number)

    def operand(self, value: Any, kind: DatabaseKind) -> Any:
        """Unrounded, for comparisons."""
        number = self._decimal(value)
        return number if kind == "postgres" else float(number)

    def decoder(self, kind: DatabaseKind) -> Decoder:
        """Text with the full scale."""
        if kind == "postgres":
            return str
        pattern = f"%.{self.scale}f"
        return lambda value: pattern % value

    def to_cell(self, value: Any, zone: tzinfo) -> Cell:
        """The exact number."""
        return Decimal(str(value))

    def from_cell(self, cell: Cell, zone: tzinfo) -> Any:
        """A number, also with grouping."""
        return plain_number(cell)

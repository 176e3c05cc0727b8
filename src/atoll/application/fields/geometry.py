"""Places on a map, as lists of longitude and latitude."""

from __future__ import annotations

import math
from typing import Any, ClassVar

from typing_extensions import override

from atoll.application.fields.base import DatabaseKind
from atoll.application.fields.json import JsonField


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _is_point(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(_is_number(each) for each in value)


class PointField(JsonField):
    """`point`: `[longitude, latitude]`."""

    types: ClassVar[tuple[str, ...]] = ("point",)
    form = "[longitude, latitude]"

    @override
    def parse(self, value: Any, kind: DatabaseKind) -> Any:
        if not self.fits(value):
            raise self.refuse(value, self.form)
        return super().parse(value, kind)

    def fits(self, value: Any) -> bool:
        """Whether a value has the form."""
        return _is_point(value)


class LineField(PointField):
    """`lineString`: two points or more."""

    types: ClassVar[tuple[str, ...]] = ("lineString",)
    form = "a list of two points or more, each [longitude, latitude]"

    @override
    def fits(self, value: Any) -> bool:
        return isinstance(value, list) and len(value) > 1 and all(_is_point(each) for each in value)


class PolygonField(PointField):
    """`polygon`: three points or more."""

    types: ClassVar[tuple[str, ...]] = ("polygon",)
    form = "a list of three points or more, each [longitude, latitude]"

    @override
    def fits(self, value: Any) -> bool:
        return isinstance(value, list) and len(value) > 2 and all(_is_point(each) for each in value)


class CircleField(PointField):
    """`circle`: `[longitude, latitude, radius]`, the radius in metres."""

    types: ClassVar[tuple[str, ...]] = ("circle",)
    form = "[longitude, latitude, radius]"

    @override
    def fits(self, value: Any) -> bool:
        return (
            isinstance(value, list)
            and len(value) == 3
            and all(_is_number(each) for each in value)
            and value[2] >= 0
        )

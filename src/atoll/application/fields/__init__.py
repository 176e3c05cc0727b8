"""Field types: one file each, looked up by the name that a field's `type` option has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from atoll.application.fields.base import Field
from atoll.application.fields.boolean import BooleanField, RadioField
from atoll.application.fields.date_only import DateOnlyField
from atoll.application.fields.datetime import DateTimeField
from atoll.application.fields.datetime_no_tz import DateTimeNoTzField
from atoll.application.fields.decimal import DecimalField
from atoll.application.fields.double import DoubleField
from atoll.application.fields.formula import FORMULAS
from atoll.application.fields.geometry import CircleField, LineField, PointField, PolygonField
from atoll.application.fields.integer import BigIntField, IntegerField
from atoll.application.fields.json import ArrayField, JsonField
from atoll.application.fields.password import PasswordField
from atoll.application.fields.sequence import SequenceField
from atoll.application.fields.snowflake_id import SnowflakeIdField
from atoll.application.fields.sort import SortField
from atoll.application.fields.string import StringField
from atoll.application.fields.text import TextField
from atoll.application.fields.time import TimeField
from atoll.application.fields.unix_timestamp import UnixTimestampField
from atoll.application.fields.uuid import NanoidField, UidField, UuidField
from atoll.errors import BadRequest

RELATION_TYPES: Final = frozenset({"belongsTo", "hasOne", "hasMany", "belongsToMany", "belongsToArray"})

WITHOUT_COLUMN: Final = frozenset({"virtual"})
"""Fields that are described only: what clients send for them is left out."""

FIELD_TYPES: Final[Mapping[str, type[Field]]] = {
    name: kind
    for kind in (
        StringField, TextField, IntegerField, BigIntField, DoubleField, DecimalField, BooleanField,
        DateTimeField, DateTimeNoTzField, DateOnlyField, TimeField, UnixTimestampField, JsonField, ArrayField,
        UuidField, UidField, NanoidField, PasswordField, SnowflakeIdField,
        SortField, SequenceField, RadioField, PointField, LineField, CircleField, PolygonField,
    )
    for name in kind.types
}  # fmt: skip


def make_field(name: str, options: Mapping[str, Any]) -> Field:
    """The field for stored options; raises BadRequest for a type that does not exist."""
    kind = FIELD_TYPES.get(str(options.get("type")))
    if options.get("type") == "formula":
        kind = FORMULAS.get(str(options.get("dataType") or "double"))
        if kind is None:
            raise BadRequest(f"Field {name!r}: `dataType` is one of {', '.join(FORMULAS)}")
    if kind is None:
        raise BadRequest(
            f"Field {name!r}: type {options.get('type')!r} is not supported by this version. "
            f"Supported: {', '.join(sorted({*FIELD_TYPES, *WITHOUT_COLUMN, 'formula'}))}"
        )
    return kind(name, options)

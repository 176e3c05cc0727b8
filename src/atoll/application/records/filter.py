"""Filters (http-api.md 4): from the client's JSON to a condition and its values."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, tzinfo
from types import MappingProxyType
from typing import Any, Final

from atoll.application.collections.model import Collection, Lookup
from atoll.application.context import CurrentUser
from atoll.application.fields.base import Field
from atoll.application.fields.moments import iso_text, parse_offset
from atoll.application.records.dates import named_span
from atoll.application.records.operators import Condition, Reading, equal, operator
from atoll.application.records.rights import EVERYTHING, Rights, refused, shown
from atoll.errors import BadRequest

NO_VARIABLES: Final[Mapping[str, str]] = MappingProxyType({})
_VARIABLE = re.compile(r"\{\{\s*([^{}]+?)\s*\}\}")


class Caller:
    """Whose request it is: time zone, user and role, for dates and variables; `origin` names the client.

    What a caller asks of records is restricted by `rights`; nothing is, unless they are given.
    """

    __slots__ = ("_timezone", "_variables", "now", "origin", "rights", "role", "user")

    def __init__(
        self,
        timezone: str = "+00:00",
        user: CurrentUser | None = None,
        role: str | None = None,
        origin: str = "",
        rights: Rights = EVERYTHING,
        variables: Mapping[str, str] = NO_VARIABLES,
    ) -> None:
        self._timezone = timezone
        self._variables = variables
        self.user = user
        self.role = role
        self.origin = origin
        self.rights = rights
        self.now = datetime.now(UTC)

    def unlimited(self) -> Caller:
        """The same caller for what the server must know to do its work, whatever is shown of it."""
        return self.with_rights(EVERYTHING)

    def with_rights(self, rights: Rights) -> Caller:
        """The same caller with other rights."""
        return Caller(self._timezone, self.user, self.role, self.origin, rights, self._variables)

    def zone(self) -> tzinfo:
        """The request's zone; raises InvalidValue when the header is no offset."""
        return parse_offset(self._timezone)

    def variable(self, path: str) -> Any:
        """The value of `{{path}}`; unknown ones are None."""
        if path.startswith("ctx.state."):
            path = "$user" + path.removeprefix("ctx.state.currentUser") if "currentUser" in path else ""
        head, _, rest = path.partition(".")
        if head == "$user" and self.user is not None:
            return self.user.record.get(rest)
        if head == "$env":
            return self._variables.get(rest)
        if head == "$nRole":
            return self.role
        if head == "$system" and rest == "now":
            return iso_text(self.now)
        if head in ("$nDate", "$date"):
            span = named_span(rest, self.zone(), self.now)
            if span is None:
                return None
            start = iso_text(span.start)
            return start if span.end is None else [start, iso_text(span.end), "[)"]
        return None


def is_empty(raw: Any) -> bool:
    """Whether a filter says nothing at all, so that update and destroy must refuse it."""
    if isinstance(raw, Mapping):
        return all(key in ("$and", "$or") and is_empty(value) for key, value in raw.items())
    if isinstance(raw, list):
        return all(is_empty(item) for item in raw)
    return not isinstance(raw, (Mapping, list))


def read_filter(
    collection: Collection, raw: Any, caller: Caller, lookup: Lookup
) -> tuple[Condition | None, list[Any]]:
    """The condition of a filter and its values; None when it does not restrict anything."""
    reading = _reading(collection, caller)
    condition = _Reader(caller, reading, lookup, caller.rights).group(collection, raw)
    return condition, reading.values


def read_scope(
    collection: Collection, scope: Mapping[str, Any], caller: Caller, lookup: Lookup
) -> tuple[Condition | None, list[Any]]:
    """The condition of a rule's scope, which may look at fields that the caller may not see.

    A variable without a value makes it match nothing: it must not open what has no value either.
    """
    reading = _reading(collection, caller)
    try:
        condition = _Reader(caller, reading, lookup, EVERYTHING, complete=True).group(collection, scope)
    except _WithoutValue:
        return ("never",), []
    return condition, reading.values


def _reading(collection: Collection, caller: Caller) -> Reading:
    user = caller.user
    return Reading(collection.kind, caller.zone, caller.now, user.id if user is not None else None)


class _WithoutValue(Exception):
    """A variable of a scope has no value for this caller."""


class _Reader:
    def __init__(
        self, caller: Caller, reading: Reading, lookup: Lookup, rights: Rights, *, complete: bool = False
    ) -> None:
        self._caller = caller
        self._reading = reading
        self._lookup = lookup
        self._rights = rights
        self._complete = complete

    def group(self, collection: Collection, raw: Any) -> Condition | None:
        if raw is None:
            return None
        if not isinstance(raw, Mapping):
            raise BadRequest("A filter is an object")
        parts = []
        for key, value in raw.items():
            if key in ("$and", "$or"):
                part = self._joined(collection, key[1:], value)
            elif key == "$not":
                inner = self.group(collection, value)
                part = None if inner is None else ("not", inner)
            else:
                part = self._path(collection, key.split("."), value)
            if part is not None:
                parts.append(part)
        return _join("and", parts)

    def _joined(self, collection: Collection, joiner: str, value: Any) -> Condition | None:
        if isinstance(value, Mapping):
            value = list(value.values()) if all(key.isdigit() for key in value) else [value]
        if not isinstance(value, list):
            raise BadRequest(f"${joiner} takes a list of conditions")
        parts = [part for item in value if (part := self.group(collection, item)) is not None]
        return _join(joiner, parts)

    def _path(self, collection: Collection, path: list[str], value: Any) -> Condition | None:
        name = path[0]
        readable = shown(collection, self._rights.on(collection, "view"))
        if readable is not None and name not in readable:
            raise refused()
        column = collection.fields.get(name)
        if column is not None and not column.hidden:
            return self._field(column, path[1:], value)
        relation = collection.relations.get(name)
        if relation is None:
            raise BadRequest(f"Unknown field {name!r} in the filter for {collection.name!r}")
        target = self._lookup(relation.target)
        if target is None or target.target_key is None:
            raise BadRequest(f"Unknown field {name!r} in the filter for {collection.name!r}")
        rest = path[1:]
        if rest in (["$exists"], ["$notExists"]):
            rest = [target.target_key, *rest]
        inner = self._path(target, rest, value) if rest else self.group(target, value)
        return None if inner is None else ("related", name, inner)

    def _field(self, column: Field, path: list[str], value: Any) -> Condition | None:
        if len(path) == 1 and path[0].startswith("$"):
            return operator(path[0])(column, self._resolved(value), self._reading)
        if path:
            raise BadRequest(f"{'.'.join([column.name, *path])!r} is not a path in the filter")
        if isinstance(value, Mapping):
            if not value:
                raise BadRequest(f"The condition for {column.name!r} is empty")
            parts = []
            for key, operand in value.items():
                if not key.startswith("$"):
                    raise BadRequest(f"{column.name!r} has no part {key!r} that could be filtered")
                parts.append(operator(key)(column, self._resolved(operand), self._reading))
            return _join("and", parts)
        return equal(column, self._resolved(value), self._reading)

    def _resolved(self, operand: Any) -> Any:
        if isinstance(operand, str):
            found = _VARIABLE.fullmatch(operand.strip()) if "{{" in operand else None
            if found is None:
                return operand
            value = self._caller.variable(found[1])
            if value is None and self._complete:
                raise _WithoutValue
            return value
        if isinstance(operand, list):
            return [self._resolved(item) for item in operand]
        return operand


def _join(joiner: str, parts: list[Condition]) -> Condition | None:
    if not parts:
        return None
    return parts[0] if len(parts) == 1 else (joiner, *parts)

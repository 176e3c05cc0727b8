"""Values that an app's configuration names instead of repeating them: `{{$env.NAME}}` (http-api.md A.5)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

from atoll.application.vault import Vault
from atoll.errors import BadRequest

NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_USE = re.compile(r"\{\{\s*\$env\.([A-Za-z0-9_]+)\s*\}\}")


def sealed_as(name: str) -> str:
    """What a secret is encrypted as: one cannot be passed off as another."""
    return f"variable {name}"


@dataclass(frozen=True, slots=True)
class Variables:
    """The variables of one app, as all its instances know them.

    Attributes:
        plain: by name.
        sealed: secrets by name, encrypted.
    """

    plain: Mapping[str, str]
    sealed: Mapping[str, str] = field(repr=False)

    def filled(self, value: Any, vault: Vault) -> Any:
        """A configuration with the values of all variables in it, secrets too: never for clients.

        Texts, lists and objects are gone through. Raises BadRequest for a variable that is not there, and
        SecretUnreadable.
        """
        if isinstance(value, str):
            return _USE.sub(lambda found: self._value(found[1], vault), value) if "{{" in value else value
        if isinstance(value, list):
            return [self.filled(item, vault) for item in value]
        if isinstance(value, Mapping):
            return {key: self.filled(item, vault) for key, item in value.items()}
        return value

    def _value(self, name: str, vault: Vault) -> str:
        if name in self.plain:
            return self.plain[name]
        if name in self.sealed:
            return vault.open(self.sealed[name], sealed_as(name))
        raise BadRequest(f"There is no variable {name!r}: add it to the app's variables")


NO_VARIABLES: Final = Variables(MappingProxyType({}), MappingProxyType({}))


def read_variables(rows: Iterable[Mapping[str, Any]]) -> Variables:
    """The variables of the stored rows."""
    plain: dict[str, str] = {}
    sealed: dict[str, str] = {}
    for row in rows:
        (sealed if row["type"] == "secret" else plain)[row["name"]] = row["value"] or ""
    return Variables(plain, sealed)

"""`pm`: the parts of an app under the names that clients ask for (http-api.md 15.3).

Atoll has no plugins to download: what it has is built in and always on. Names that clients know mean the part
that does that work here; a name without such a part is not there, and nothing pretends it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from atoll import __version__
from atoll.application.api.resources import PUBLIC, ResourceRegistry
from atoll.application.context import Context
from atoll.errors import BadRequest, PluginNotFound

_PACKAGES = "@nocobase/plugin-"
_BUILT_IN: Final[Mapping[str, str]] = MappingProxyType(
    {
        "acl": "Roles and permissions",
        "auth": "Sign-in",
        "users": "Users",
        "data-source-main": "Collections and fields",
        "data-source-manager": "Data sources",
        "api-doc": "Description of the API",
        "api-keys": "API keys",
        "collection-sql": "Collections from SQL statements",
        "collection-tree": "Tree collections",
        "data-visualization": "Sums, counts and groups",
        "field-formula": "Formulas",
        "field-m2m-array": "Lists of keys as relations",
        "field-sequence": "Sequences of numbers",
        "field-sort": "Orders made by hand",
        "system-settings": "System settings",
        "environment-variables": "Variables and secrets",
        "theme-editor": "Themes",
        "client": "User interface",
        "error-handler": "Errors",
        "logger": "Logs",
    }
)
# Names of plugins whose work one of Atoll's own does.
_DONE_BY: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "app-supervisor": ("app-supervisor", "multi-app-manager"),
        "import-export": ("action-import", "action-export"),
        "bulk-records": ("action-bulk-edit", "action-bulk-update"),
        "async-tasks": ("async-task-manager",),
        "files": ("file-manager",),
    }
)


def define(resources: ResourceRegistry) -> None:
    """Adds the resource."""
    resources.define(
        "pm",
        {
            "list": list_parts,
            "listEnabled": list_enabled,
            "listEnabledV2": list_enabled,
            "get": get_part,
            "enable": enable_part,
            "disable": disable_part,
            "remove": disable_part,
            "add": add_part,
            "update": add_part,
        },
        access={"listEnabled": PUBLIC, "listEnabledV2": PUBLIC},
    )


def _parts(ctx: Context) -> dict[str, dict[str, Any]]:
    """All parts of the app by name."""
    names = dict(_BUILT_IN)
    for plugin in ctx.app.plugins:
        for name in _DONE_BY.get(plugin.name, (plugin.name,)):
            names[name] = plugin.name.replace("-", " ").capitalize()
    return {
        name: {
            "name": name,
            "packageName": _PACKAGES + name,
            "displayName": title,
            "description": "Part of Atoll",
            "version": __version__,
            "enabled": True,
            "installed": True,
            "builtIn": True,
            "removable": False,
            "isCompatible": True,
        }
        for name, title in sorted(names.items())
    }


async def list_parts(ctx: Context) -> Any:
    """All parts; each is built in and on."""
    return list(_parts(ctx).values())


async def list_enabled(ctx: Context) -> Any:
    """What a client may rely on."""
    return [
        {"name": part["name"], "packageName": part["packageName"], "options": {}}
        for part in _parts(ctx).values()
    ]


async def get_part(ctx: Context) -> Any:
    """One part; raises PluginNotFound."""
    return _named(ctx)[0]


async def enable_part(ctx: Context) -> Any:
    """What is there is on already; the name is answered, as clients expect."""
    _named(ctx)
    return ctx.params.get("filterByTk")


async def disable_part(ctx: Context) -> Any:
    """Refused: nothing can be switched off."""
    found = _named(ctx)
    raise BadRequest(f"{found[0]['name']!r} is built into Atoll and cannot be switched off or removed")


async def add_part(ctx: Context) -> Any:
    """Refused: nothing can be added to a running app."""
    raise BadRequest(
        "Atoll takes no plugins while it runs: they are Python packages, installed with the server"
    )


def _named(ctx: Context) -> list[dict[str, Any]]:
    key = ctx.params.get("filterByTk")
    wanted = key.split(",") if isinstance(key, str) else key
    if not isinstance(wanted, list) or not wanted or not all(isinstance(each, str) for each in wanted):
        raise BadRequest("plugin name invalid")
    parts = _parts(ctx)
    missing = [each for each in wanted if each.removeprefix(_PACKAGES) not in parts]
    if missing:
        raise PluginNotFound(
            f"This version of Atoll has nothing that does the work of {', '.join(missing)}. "
            "`pm:list` tells what there is."
        )
    return [parts[each.removeprefix(_PACKAGES)] for each in wanted]

"""What an action sees of its request, and what it may answer."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from atoll.application.app import Application
    from atoll.application.records.rights import Rights


@dataclass(frozen=True, slots=True)
class CurrentUser:
    """The signed-in user of a request.

    `record` has the visible fields of the user as the API delivers them (no password); `roles` the names of
    all roles the user holds, the default one first.
    """

    id: int
    username: str | None
    nickname: str | None
    roles: tuple[str, ...]
    record: Mapping[str, Any]
    password_changed_at: int | None = None


@dataclass(frozen=True, slots=True)
class Right:
    """What is allowed of an action on the records of one collection.

    Attributes:
        scope: a filter that the records fulfil; None: all records.
        fields: names of fields and relations; None: all.
    """

    scope: Mapping[str, Any] | None = None
    fields: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Role:
    """A role as the permission check needs it.

    Attributes:
        allow_new_menu: sees new entries of menus at once.
        actions: the strategy for all collections: `view`, `update:own`, ...
        resources: collections that have rules of their own instead; action to what is allowed of it.
    """

    name: str
    title: str | None = None
    actions: tuple[str, ...] = ()
    snippets: tuple[str, ...] = ()
    allow_configure: bool | None = None
    allow_new_menu: bool = False
    default: bool = False
    resources: Mapping[str, Mapping[str, Right]] = field(default_factory=dict)


@dataclass(slots=True)
class Page:
    """An answer with rows (or one record) and a `meta` block: `{"data": rows, "meta": meta}`."""

    rows: Any
    meta: dict[str, Any]


@dataclass(slots=True)
class RawAnswer:
    """An answer that goes out as it is, without the data envelope."""

    body: bytes
    content_type: str


@dataclass(slots=True)
class FileAnswer:
    """An answer that is sent from a file in pieces; browsers save it under `name`."""

    path: Path
    name: str
    content_type: str = "application/octet-stream"


@dataclass(slots=True)
class StreamAnswer:
    """An answer that is made piece by piece while it is sent; its headers are in `Context.response_headers`.

    The generator is closed when the client goes away.
    """

    pieces: AsyncGenerator[bytes, None]


class _Nothing:
    """The type of `NOTHING`."""


NOTHING: Final = _Nothing()
"""Returned by a handler that has nothing to say: the answer is `{}` (as for `auth:signOut`)."""


@dataclass(slots=True)
class Context:
    """One call of one action.

    `params` is the parsed query string (`filter` already decoded from JSON, `filterByTk` from path or query),
    `values` the decoded body. `timezone` is the `±HH:mm` of the request, `role` the role the request acts as.
    `variables` are the app's plain variables, for `{{$env.NAME}}` in filters.
    `receive` gives the body to actions that read it themselves (ASGI); `values` is None for those.
    """

    app: Application
    resource: str
    action: str
    method: str
    params: dict[str, Any]
    values: Any
    headers: Mapping[str, str]
    client: str = ""
    locale: str = "en-US"
    timezone: str = "+00:00"
    source_id: str | None = None
    user: CurrentUser | None = None
    role: str | None = None
    token: str | None = None
    claims: Any = None
    rights: Rights | None = None
    variables: Mapping[str, str] = field(default_factory=dict)
    status: int = 200
    response_headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    receive: Any = None

    def set_header(self, name: str, value: str) -> None:
        """Adds a header to the answer; a name may be added several times."""
        self.response_headers.append((name.lower().encode("latin-1"), value.encode("latin-1")))


Handler = Callable[[Context], Awaitable[object]]
"""An action: its result becomes `data`; `Page` brings `meta`, `NOTHING` is `{}`, `RawAnswer`, `FileAnswer`
and `StreamAnswer` go as they are."""

"""Apps and environments in the entry app's API. Source: http-api.md 10."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any

import msgspec
from typing_extensions import override

from atoll import __version__, templates
from atoll.application.context import Context, RawAnswer
from atoll.application.instances.agreement import Topic
from atoll.application.plugin_manager import Plugin
from atoll.errors import AppNotFound, BadRequest, NotFound, PreflightFailed
from atoll.plugins.app_supervisor.feed import Feed
from atoll.plugins.app_supervisor.listing import listed, matches
from atoll.plugins.app_supervisor.questions import log_query
from atoll.supervisor.courses import SPANS
from atoll.supervisor.domain import domain_check
from atoll.supervisor.models import CallerAccount
from atoll.supervisor.options import is_host
from atoll.supervisor.supervisor import Supervisor

if TYPE_CHECKING:
    from atoll.application.app import Application

_SNIPPET = "pm.multi-app-manager.applications"


class AppsTopic(Topic):
    """What apps there are, and what should be the case with them."""

    name = "applications"

    def __init__(self, supervisor: Supervisor) -> None:
        self._supervisor = supervisor

    @override
    async def reload(self) -> None:
        await self._supervisor.refresh()

    @override
    async def apply(self, about: Mapping[str, Any]) -> None:
        await self._supervisor.refresh()


class AppSupervisor(Plugin):
    """Manages apps through the API of the entry app.

    Args:
        supervisor: started and stopped by its giver.
    """

    name = "app-supervisor"

    def __init__(self, supervisor: Supervisor) -> None:
        self._supervisor = supervisor
        self._feed: Feed | None = None
        self._unhook: Callable[[], None] | None = None

    async def install(self, app: Application) -> None:
        """Nothing: the Supervisor keeps its own tables."""

    async def load(self, app: Application) -> None:
        """Defines the resources."""
        app.resources.define(
            "applications",
            {
                "list": self._list,
                "get": self._get,
                "create": self._create,
                "update": self._update,
                "destroy": self._destroy,
                "start": self._start,
                "stop": self._stop,
                "restart": self._restart,
                "rotateSecret": self._rotate_secret,
                "check": self._check,
                "checkDomain": self._check_domain,
                "databaseModes": self._database_modes,
                "listPinned": self._list_pinned,
                "events": self._events,
                "icon": self._icon,
                "templates": self._templates,
            },
            access={"listPinned": "loggedIn", "icon": "public"},
            snippet=_SNIPPET,
        )
        app.resources.define(
            "environments",
            {
                "list": self._environments,
                "get": self._environment,
                "destroy": self._forget,
                "drain": self._drain,
                "undrain": self._undrain,
                "test": self._test,
                "joining": self._joining,
            },
            snippet=_SNIPPET,
        )
        app.resources.define("logs", {"query": self._logs}, snippet=_SNIPPET)
        app.resources.define("metrics", {"query": self._metrics}, snippet=_SNIPPET)
        await app.agreement.keep(AppsTopic(self._supervisor))

    async def start(self, app: Application) -> None:
        """Begins to send live messages, and to tell the other instances of the entry app."""

        async def tell(name: str) -> None:
            async with app.agreement.change(AppsTopic.name):
                pass

        self._unhook = self._supervisor.saved.add(tell)
        self._feed = Feed(self._supervisor, app.live)
        self._feed.start()

    async def stop(self, app: Application) -> None:
        """Ends that."""
        if self._unhook is not None:
            self._unhook()
            self._unhook = None
        if self._feed is not None:
            await self._feed.stop()
            self._feed = None

    # -- applications

    async def _list(self, ctx: Context) -> object:
        return listed(self._supervisor.list_apps(), ctx.params)

    async def _list_pinned(self, ctx: Context) -> object:
        """What everybody who is signed in may know of the pinned apps: how they look and where they are."""
        shown = ("name", "displayName", "icon", "cname")
        options = ("description", "hidden", "showInSwitcher")
        return [
            {key: row[key] for key in shown}
            | {"options": {key: row["options"][key] for key in options if key in row["options"]}}
            for row in self._supervisor.list_apps()
            if row["pinned"]
        ]

    async def _get(self, ctx: Context) -> object:
        name = ctx.params.get("filterByTk")
        if name is not None:
            return self._supervisor.get_app(str(name))
        return next(
            (row for row in self._supervisor.list_apps() if matches(row, ctx.params.get("filter") or {})),
            None,
        )

    async def _events(self, ctx: Context) -> object:
        return await self._supervisor.app_events(self._chosen(ctx)[0])

    async def _icon(self, ctx: Context) -> object:
        """The picture of an app. Anybody may see it, as it stands beside the sign-in too."""
        picture = self._supervisor.app_picture(self._chosen(ctx)[0])
        if picture is None:
            raise NotFound("This application has no picture.")
        ctx.set_header("cache-control", "public, max-age=31536000, immutable")
        ctx.set_header("x-content-type-options", "nosniff")
        return RawAnswer(picture.content, picture.media_type)

    async def _templates(self, ctx: Context) -> object:
        """What a new app can begin with, in the caller's language."""
        return [
            {
                "name": each.name,
                "title": each.title,
                "about": each.about,
                "icon": each.icon,
                "collections": [collection.values["title"] for collection in each.collections],
            }
            for each in (templates.load(name, ctx.locale) for name in templates.NAMES)
        ]

    async def _create(self, ctx: Context) -> object:
        values = _values(ctx)
        try:
            return await self._supervisor.create_app(values, await self._caller(ctx, values), by=_by(ctx))
        except PreflightFailed as failure:
            return _refusal(ctx, failure)

    async def _check(self, ctx: Context) -> object:
        values = _values(ctx)
        findings = await self._supervisor.check_app(values, await self._caller(ctx, values))
        return {"ok": not findings, "findings": msgspec.to_builtins(findings)}

    async def _check_domain(self, ctx: Context) -> object:
        """Where a domain leads, and whether that is where this request came in."""
        domain = str(ctx.params.get("cname") or "")
        if not is_host(domain):
            raise BadRequest(f"{domain[:80]!r} is no host name. Give one like shop.example.com.")
        host = ctx.headers.get("x-forwarded-host", "").split(",")[0].strip() or ctx.headers.get("host", "")
        return await domain_check(domain, host)

    async def _database_modes(self, ctx: Context) -> object:
        """For the environments given by name: which kinds of database a new app can have."""
        names = [name for name in str(ctx.params.get("environments") or "").split(",") if name]
        for name in names:
            self._named_environment(name)
        if not names:
            raise BadRequest("Say which environments: give their names as `environments`.")
        return await self._supervisor.database_modes(names)

    async def _rotate_secret(self, ctx: Context) -> object:
        rows = [
            await self._supervisor.rotate_secret(name, restart=_flag(ctx, "restart"), by=_by(ctx))
            for name in self._chosen(ctx)
        ]
        return rows[0] if len(rows) == 1 else rows

    async def _update(self, ctx: Context) -> object:
        values = _values(ctx)
        try:
            return [
                await self._supervisor.update_app(name, values, by=_by(ctx)) for name in self._chosen(ctx)
            ]
        except PreflightFailed as failure:
            return _refusal(ctx, failure)

    async def _destroy(self, ctx: Context) -> object:
        names = self._chosen(ctx)
        drop, force = _flag(ctx, "removeDatabase"), _flag(ctx, "force")
        waiting = [
            self._supervisor.get_app(name)
            for name in names
            if not await self._supervisor.remove_app(name, remove_database=drop, force=force, by=_by(ctx))
        ]
        if waiting:
            # Accepted, but an environment still has to do it: the row says which, and why it waits.
            ctx.status = 202
            return waiting[0] if len(waiting) == 1 else waiting
        return len(names)

    async def _start(self, ctx: Context) -> object:
        return await self._command(ctx, self._supervisor.start_app)

    async def _stop(self, ctx: Context) -> object:
        return await self._command(ctx, self._supervisor.stop_app)

    async def _restart(self, ctx: Context) -> object:
        return await self._command(ctx, self._supervisor.restart_app)

    async def _command(self, ctx: Context, command: Callable[..., Awaitable[dict[str, Any]]]) -> object:
        """For the chosen apps, in all their environments or in the one that is given."""
        where = _given(ctx, "environment")
        if where is not None and not isinstance(where, str):
            raise BadRequest("`environment` must be the name of an environment.")
        rows = [await command(name, where=where or None, by=_by(ctx)) for name in self._chosen(ctx)]
        return rows[0] if len(rows) == 1 else rows

    def _chosen(self, ctx: Context) -> list[str]:
        """The apps a request is about, by key or filter; all of them exist."""
        keys = ctx.params.get("filterByTk")
        if keys is not None:
            names = [str(key) for key in (keys if isinstance(keys, list) else str(keys).split(","))]
        elif ctx.params.get("filter"):
            names = [
                row["name"] for row in self._supervisor.list_apps() if matches(row, ctx.params["filter"])
            ]
        else:
            raise BadRequest("Say which application: give its id as filterByTk, or a filter.")
        for name in names:
            if self._supervisor.get_app(name) is None:
                raise AppNotFound(f"There is no application {name!r}.")
        if not names:
            raise AppNotFound("No application matches the filter.")
        return names

    async def _caller(self, ctx: Context, values: Mapping[str, Any]) -> CallerAccount | None:
        """The caller's account, read only when it is to be copied."""
        options = values.get("options")
        admin = options.get("admin") if isinstance(options, dict) else None
        if ctx.user is None or not isinstance(admin, dict) or not admin.get("copyCaller"):
            return None
        record = ctx.user.record
        return CallerAccount(
            username=ctx.user.username or str(record.get("email") or ""),
            email=str(record.get("email") or ""),
            nickname=ctx.user.nickname or "",
            password_hash=await ctx.app.users.password_of(ctx.user.id) or "",
        )

    # -- environments

    async def _environments(self, ctx: Context) -> object:
        return listed(self._supervisor.list_environments(), ctx.params)

    async def _environment(self, ctx: Context) -> object:
        return self._supervisor.get_environment(str(ctx.params.get("filterByTk", "")))

    async def _joining(self, ctx: Context) -> object:
        """Whether environments can be added, and the version they should have."""
        return {"possible": self._supervisor.joinable, "version": __version__}

    async def _forget(self, ctx: Context) -> object:
        await self._supervisor.forget_environment(self._chosen_environment(ctx))
        return 1

    async def _drain(self, ctx: Context) -> object:
        return await self._supervisor.drain_environment(self._chosen_environment(ctx), wanted=True)

    async def _undrain(self, ctx: Context) -> object:
        return await self._supervisor.drain_environment(self._chosen_environment(ctx), wanted=False)

    async def _test(self, ctx: Context) -> object:
        return await self._supervisor.test_environment(self._chosen_environment(ctx))

    async def _logs(self, ctx: Context) -> object:
        """Log lines of one app, or of one environment, or of an app in one environment."""
        query = log_query(ctx.params)
        if ctx.params.get("environment"):
            environments = [self._named_environment(str(ctx.params["environment"]))]
        elif query.app:
            row = self._supervisor.get_app(query.app)
            if row is None:
                raise AppNotFound(f"There is no application {query.app!r}.")
            environments = row["environments"]
        else:
            raise BadRequest("Say whose log lines: give `app`, `environment`, or both.")
        return await self._supervisor.logs.find(environments, query)

    async def _metrics(self, ctx: Context) -> object:
        """How an app or an environment did: requests, errors, answer times and memory over a time."""
        app, environment = (str(ctx.params.get(key) or "") or None for key in ("app", "environment"))
        span = str(ctx.params.get("range") or "1h")
        if span not in SPANS:
            raise BadRequest(f"`range` must be one of {', '.join(SPANS)}.")
        if environment is not None:
            _ = self._named_environment(environment)
        elif app is None:
            raise BadRequest("Say whose figures: give `app`, `environment`, or both.")
        return self._supervisor.metrics(span, app=app, environment=environment)

    def _chosen_environment(self, ctx: Context) -> str:
        return self._named_environment(str(ctx.params.get("filterByTk", "")))

    def _named_environment(self, name: str) -> str:
        if self._supervisor.get_environment(name) is None:
            raise NotFound(f"There is no environment {name!r}.")
        return name


def _by(ctx: Context) -> str:
    return (ctx.user.username or "") if ctx.user is not None else ""


def _values(ctx: Context) -> dict[str, Any]:
    if not isinstance(ctx.values, dict):
        raise BadRequest("Send one application as a JSON object.")
    return ctx.values


def _given(ctx: Context, name: str) -> Any:
    """A parameter, from the address or from the body."""
    value = ctx.params.get(name)
    return ctx.values.get(name) if value is None and isinstance(ctx.values, dict) else value


def _flag(ctx: Context, name: str) -> bool:
    value = _given(ctx, name)
    text = str(value).lower() if value is not None else "false"
    if text not in ("true", "1", "false", "0", ""):
        raise BadRequest(f"`{name}` must be true or false, not {str(value)[:40]!r}.")
    return text in ("true", "1")


def _refusal(ctx: Context, failure: PreflightFailed) -> RawAnswer:
    """All findings at once, each with its own code, remedy and field."""
    ctx.status = failure.status
    return RawAnswer(msgspec.json.encode({"errors": failure.problems}), "application/json")

"""The control half: what should be the case, and seeing to it that it becomes so."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import replace

from atoll import images
from atoll.errors import AppNotFound, AppNotPlaced, AtollError, EnvironmentUnknown, PreflightFailed
from atoll.hooks import Hook
from atoll.images import Image
from atoll.lifecycle import BackgroundTasks
from atoll.supervisor import wishes
from atoll.supervisor.command.base import Commands, Receipt
from atoll.supervisor.directory import Directory, hidden
from atoll.supervisor.dispatch import Dispatcher
from atoll.supervisor.figures import TrafficView
from atoll.supervisor.history import History
from atoll.supervisor.last_known import LastKnown
from atoll.supervisor.log_search import LogSearch
from atoll.supervisor.model_writer import ModelWriter, concerned
from atoll.supervisor.models import Action, CallerAccount, ConnectionKind, Finding, StatusRow
from atoll.supervisor.options import changed_record, places
from atoll.supervisor.preflight import Preflight
from atoll.supervisor.presence.base import Presence
from atoll.supervisor.proxy_identity import PROXY_PURPOSE, Prover
from atoll.supervisor.reach import reach
from atoll.supervisor.reconcile import Reconciler, operation
from atoll.supervisor.rows import application_row, environment_row, event_row
from atoll.supervisor.sealing import Sealer
from atoll.supervisor.store.base import AppRecord, AppStore
from atoll.supervisor.watch import Watch

log = logging.getLogger(__name__)

#: How long a removal is waited for before the answer is given without its end.
REMOVAL_SECONDS = 10.0


class Supervisor(Prover):
    """Keeps the apps, tells environments, and knows how all of them are doing.

    Args:
        store, presence, commands: opened and closed by their giver (`store.prepare` is called here).
        sealer: with the Supervisor's key pair.
        default_environments: where an app goes when nobody says; a single server gives ("local",).
        default_connection: an app's database when nobody says (USE_DB_SCHEMA_IN_SUBAPP: "new_schema").
        reconcile_seconds: how often everything is compared, pushed or not.
        storage: folder for the last known state, for a start while store or presence are away; None keeps
            nothing.
        command_seconds: how long a command waits for an environment to take it up before it expires.
    """

    def __init__(
        self,
        *,
        store: AppStore,
        presence: Presence,
        commands: Commands,
        sealer: Sealer,
        default_environments: tuple[str, ...] = (),
        default_connection: ConnectionKind = "new_database",
        reconcile_seconds: float = 5.0,
        command_seconds: float = 60.0,
        storage: Path | None = None,
    ) -> None:
        self.directory = Directory()
        self.joinable = not default_environments
        """Whether other servers can join as environments; a single server is its only one."""
        self.saved: Hook[str] = Hook()
        """Awaited with the name of what was changed here, before the caller is answered."""
        self._store, self._presence, self._commands, self._sealer = store, presence, commands, sealer
        self._tasks = BackgroundTasks("supervisor")
        self._dispatcher = Dispatcher(commands, sealer, self._tasks, self._receipt_changed, command_seconds)
        self._history = History(store)
        self._preflight = Preflight(
            self.directory, self._dispatcher, default_environments, default_connection
        )
        self._reconciler = Reconciler(
            store,
            self.directory,
            self._dispatcher,
            ModelWriter(presence, sealer),
            self._history,
            self._tasks,
            reconcile_seconds,
        )
        self._watch = Watch(
            presence,
            sealer,
            store,
            self.directory,
            on_row=self._row_changed,
            on_environment=self._environment_changed,
            on_loss=self._reconciler.lost,
            last_known=LastKnown(storage / "last_known.state" if storage is not None else None),
        )
        self.logs = LogSearch(self.directory, self._dispatcher)
        self._traffic = TrafficView(presence, sealer, self.directory)
        self._waking: dict[str, asyncio.Task[None]] = {}
        self._recalled = False
        self.whole = False
        """Whether the store was read: until then records are only good for finding the way."""

    # -- life

    async def recall(self) -> None:
        """Takes up what was known last and follows presence, so that requests for running apps find their way
        before `start`, which needs the store. Nothing can be changed yet.
        """
        self._recalled = True
        await self._watch.recall()
        _ = self._tasks.keep_running("events", self._watch.follow)
        _ = self._tasks.keep_running("presence", self._watch.keep_looking)

    async def start(self) -> None:
        """Reads the store, takes a first look at presence and begins to reconcile. Touches no running app."""
        if not self._recalled:
            await self.recall()
        await self._store.prepare()
        await self._reconciler.refresh()
        self.whole = True
        self.directory.changes.notify()
        for record in self.directory.records:
            if record.auto_start and record.desired == "ready":
                await self._reconciler.save(
                    record, "start", lambda present: replace(present, desired="running")
                )
        await self._watch.begin()
        _ = self._tasks.keep_running("reconcile", self._reconciler.run)
        _ = self._tasks.keep_running("history", self._history.run)
        _ = self._tasks.keep_running("traffic", self._traffic.run)

    async def stop(self) -> None:
        """Ends all background work. Apps and environments are left as they are."""
        await self._tasks.cancel_all()
        if not self.whole:
            return
        try:
            await self._history.flush()
        except AtollError as error:
            log.warning("what happened to apps last is not kept", extra={"reason": error.message})

    @property
    def presence_reachable(self) -> bool:
        """False while routes and statuses are the last known ones because presence is away."""
        return self._watch.reachable

    # -- apps

    def list_apps(self) -> list[dict[str, Any]]:
        """All apps as `application_row`s, by sort and name."""
        records = sorted(self.directory.listed, key=lambda record: (record.sort, record.created_at))
        return [self._row(record) for record in records]

    def get_app(self, name: str) -> dict[str, Any] | None:
        """One app's row, None when there is none."""
        record = self.directory.app(name)
        return self._row(record) if record is not None else None

    def app_picture(self, name: str) -> Image | None:
        """The picture that is an app's icon, None when it has none. Raises AppNotFound."""
        icon = self._known(name).icon or ""
        return images.read(icon) if icon.startswith(images.PREFIX) else None

    async def app_events(self, name: str) -> list[dict[str, Any]]:
        """What happened to an app, newest first: what was asked for, by whom, and how its status changed
        where.

        Raises AppNotFound.
        """
        record = self._known(name)
        await self._history.flush()
        return [event_row(event) for event in await self._store.events(record.uid)]

    async def check_app(
        self, values: Mapping[str, Any], caller: CallerAccount | None = None
    ) -> list[Finding]:
        """What stands against creating such an app; empty for nothing. Changes nothing."""
        await self._reconciler.refresh()
        _, findings = await self._preflight.look(values, caller)
        return findings

    async def create_app(
        self, values: Mapping[str, Any], caller: CallerAccount | None = None, *, by: str = ""
    ) -> dict[str, Any]:
        """Saves a new app and begins to create it; gives its row at once (status "preparing").

        Raises PreflightFailed with everything that stands against it; then nothing was created.
        """
        await self._reconciler.refresh()
        record, findings = await self._preflight.look(values, caller)
        if findings or record is None:
            raise _refusal(findings)
        asked = operation("create", record.environments, by)
        sort = record.sort or 1 + max((known.sort for known in self.directory.listed), default=0)
        record = replace(record, operation=asked, sort=sort)
        await self._store.insert(record)
        self._reconciler.tell(record, asked)
        await self.saved.emit(record.name)
        return self._row(record)

    async def update_app(self, name: str, values: Mapping[str, Any], *, by: str = "") -> dict[str, Any]:
        """Changes an app; options that only a restart brings into effect set `restartNeeded` in the row.

        Environments may be added (checked first) and taken away (the app is stopped there).
        Raises AppNotFound, AppOptionsInvalid, AppNameTaken, PreflightFailed.
        """
        record = self._known(name)
        wanted = places(values)
        asked = changed_record(record, values)
        more = set(wanted or ()) - set(record.environments)
        if more or asked.database != record.database:
            reached = replace(asked, environments=wanted or asked.environments)
            findings = await self._preflight.reach(reached, more)
            if findings:
                raise _refusal(findings)
        return self._row(await self._save(record, "update", wishes.update(values), by))

    async def start_app(self, name: str, *, where: str | None = None, by: str = "") -> dict[str, Any]:
        """Wants the app to run. A second call changes nothing; after failed tries it tries again at once.

        Args:
            where: one of its environments, None for all. Raises AppNotFound, AppNotPlaced.
        """
        record = self._placed(name, where)
        placements = self.directory.placements(record)
        failed = any(each.status == "error" for each in placements if where in (None, each.environment))
        wish = wishes.start(record, where, failed=failed)
        return self._row(await self._save(record, "start", wish, by, where))

    async def stop_app(self, name: str, *, where: str | None = None, by: str = "") -> dict[str, Any]:
        """Wants the app stopped, also while it is starting. As `start_app`."""
        record = self._placed(name, where)
        return self._row(await self._save(record, "stop", wishes.stop(where), by, where))

    async def restart_app(self, name: str, *, where: str | None = None, by: str = "") -> dict[str, Any]:
        """Stops the app where it runs and starts it again. As `start_app`."""
        record = self._placed(name, where)
        return self._row(await self._save(record, "restart", wishes.restart(where), by, where))

    async def rotate_secret(self, name: str, *, restart: bool = False, by: str = "") -> dict[str, Any]:
        """Gives the app a new secret for its tokens: from its next start on nobody is signed in any more.

        Args:
            restart: it is restarted now; otherwise its row says `restartNeeded`.
        """
        record = self._known(name)
        return self._row(await self._save(record, "rotate", wishes.rotate(restart=restart), by))

    async def database_modes(self, environments: Sequence[str]) -> dict[str, dict[str, Any] | None]:
        """What stands against a new app of each kind of database of the platform's own, as `Finding`s are
        shown, None for nothing. Really asked of those environments; nothing is created."""
        return await self._preflight.modes(environments)

    async def remove_app(
        self, name: str, *, remove_database: bool = False, force: bool = False, by: str = ""
    ) -> bool:
        """Takes the app down everywhere; True when it is gone, False when an environment still has to do it.

        Args:
            remove_database: also drop its database. That of an app that was never installed is dropped, too.
            force: do not wait for environments that are offline; they do it when they are back.
        """
        record = self._known(name)
        wish = wishes.remove(remove_database=remove_database, force=force)
        saved = await self._save(record, "destroy", wish, by)
        with suppress(AppNotFound):  # the reconciler, which looks by itself, was quicker
            await self._reconciler.advance(saved)

        _ = await self.directory.changes.until(
            lambda: self._gone(record.uid) or self._waits(record.uid), REMOVAL_SECONDS
        )
        await self.saved.emit(name)
        return self._gone(record.uid)

    def _gone(self, uid: str) -> bool:
        left = self.directory.record(uid)
        return left is None or hidden(left)

    def _waits(self, uid: str) -> bool:
        """Whether the removal waits for an environment that is not available."""
        left = self.directory.record(uid)
        return left is not None and any(
            (view := self.directory.environments.get(place)) is None or not view.available
            for place in concerned(left)
            if place not in left.gone
        )

    def metrics(self, span: str, *, app: str | None = None, environment: str | None = None) -> dict[str, Any]:
        """How an app did, in all its environments or one; without an app, all apps of an environment.

        Args:
            span: one of `courses.SPANS`; see `Courses.read` for what it gives. Raises AppNotFound.
        """
        records = self.directory.listed if app is None else [self._known(app)]
        places = records[0].environments if app is not None else ()
        where = (environment,) if environment is not None else places
        return self._traffic.courses.read(span, [record.uid for record in records], where)

    # -- environments

    def list_environments(self) -> list[dict[str, Any]]:
        """All environments ever seen as `environment_row`s, by name."""
        views = sorted(self.directory.environments.values(), key=lambda view: view.name)
        return [environment_row(view, self.directory) for view in views]

    def get_environment(self, name: str) -> dict[str, Any] | None:
        """One environment's row, None when there is none."""
        view = self.directory.environments.get(name)
        return environment_row(view, self.directory) if view is not None else None

    async def forget_environment(self, name: str) -> None:
        """Removes an environment from the list and ends the trust in its key; a live one is met again.

        Raises EnvironmentUnknown.
        """
        if name not in self.directory.environments:
            raise EnvironmentUnknown(f"There is no environment {name!r}.")
        await self._store.forget_environment(name)
        self._watch.forget(name)

    async def drain_environment(self, name: str, *, wanted: bool) -> dict[str, Any]:
        """Takes an environment out of service, or brings it back; gives its row.

        While it drains it says that it is not ready, no app is newly placed there, and requests for apps that
        also run elsewhere go there. What runs only there goes on.

        Raises EnvironmentUnknown.
        """
        if name not in self.directory.environments:
            raise EnvironmentUnknown(f"There is no environment {name!r}.")
        await self._store.drain(name, wanted)
        await self.refresh()
        await self.saved.emit(name)
        return environment_row(self.directory.environments[name], self.directory)

    async def test_environment(self, name: str) -> dict[str, Any]:
        """Whether the environment answers at its addresses: `url` and `proxyUrl`, each as `reach` tells it,
        None where it has none. No other address is ever asked.

        Raises EnvironmentUnknown.
        """
        view = self.directory.environments.get(name)
        if view is None:
            raise EnvironmentUnknown(f"There is no environment {name!r}.")
        addresses = dict.fromkeys(address for address in (view.card.url, view.card.proxy_url) if address)
        found = dict(zip(addresses, await asyncio.gather(*map(reach, addresses)), strict=True))
        return {"url": found.get(view.card.url), "proxyUrl": found.get(view.card.proxy_url)}

    def doubt(self, environment: str) -> None:
        """The proxy could not reach the environment."""
        self._watch.doubt(environment)

    def prove(self, data: bytes) -> bytes:
        """See Prover."""
        return self._sealer.attest(PROXY_PURPOSE, data)

    # -- first visit

    def wake(self, uid: str) -> None:
        """Somebody visits an app that waits for its first visit: it starts, once, however many ask."""
        if self.whole and uid not in self._waking:
            task = self._tasks.spawn("visit", self._start_for_visit(uid))
            self._waking[uid] = task
            task.add_done_callback(lambda _: self._waking.pop(uid, None))

    async def _start_for_visit(self, uid: str) -> None:
        record = self.directory.record(uid)
        if record is None or record.desired != "ready":
            return
        try:
            await self._save(record, "visit", wishes.wake)
        except AtollError as error:
            log.warning("an app could not be woken", extra={"app": record.name, "reason": error.message})
            await asyncio.sleep(1.0)

    # -- changing records

    async def refresh(self) -> None:
        """Another Supervisor of the same store changed apps: takes over what is new."""
        await self._reconciler.refresh()
        self._reconciler.soon()

    async def _save(
        self,
        record: AppRecord,
        action: Action,
        change: Callable[[AppRecord], AppRecord | None],
        by: str = "",
        where: str | None = None,
    ) -> AppRecord:
        saved = await self._reconciler.save(record, action, change, by=by, where=where)
        if saved.version != record.version:
            await self.saved.emit(saved.name)
        return saved

    def _known(self, name: str) -> AppRecord:
        record = self.directory.app(name)
        if record is None:
            raise AppNotFound(f"There is no app {name!r}.")
        return record

    def _placed(self, name: str, where: str | None) -> AppRecord:
        record = self._known(name)
        if where is not None and where not in record.environments:
            raise AppNotPlaced(f"The app {name!r} is not placed in the environment {where!r}.")
        return record

    def _row(self, record: AppRecord) -> dict[str, Any]:
        request = record.operation.id if record.operation is not None else ""
        row = application_row(record, self.directory, self._dispatcher.receipts(request))
        return row | {"traffic": self._traffic.row(record)}

    def row_of(self, uid: str) -> dict[str, Any] | None:
        """The row of the app with that identity, None when people do not see it (any more)."""
        record = self.directory.record(uid)
        return None if record is None or hidden(record) else self._row(record)

    # -- what others tell

    async def _row_changed(self, row: StatusRow, before: StatusRow | None) -> None:
        record = self.directory.record(row.uid)
        if record is not None:
            self._history.row(record, row, before)
        if not self.whole:
            return
        try:
            if record is None:
                await self._reconciler.clear_away(row)
                return
            await self._reconciler.advance(record)
        except AtollError as error:
            log.warning("a status waits until the store can be written", extra={"reason": error.message})

    def _environment_changed(self, name: str) -> None:
        view = self.directory.environments.get(name)
        if view is not None and not view.available:
            for record in self.directory.listed:
                if name in record.environments:
                    self._history.left(view, record)
        self._reconciler.soon()

    def _receipt_changed(self, receipt: Receipt) -> None:
        for record in self.directory.records:
            if record.operation is not None and record.operation.id == receipt.request_id:
                self.directory.touch(record.uid)


def _refusal(findings: list[Finding]) -> PreflightFailed:
    message = " ".join(f"{each.message} {each.remedy}".strip() for each in findings)
    return PreflightFailed(message, code=findings[0].code, problems=msgspec.to_builtins(findings))

"""The control half: what should be the case, and seeing to it that it becomes so."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec
from msgspec.structs import replace

from atoll.errors import (
    AppNotFound,
    AtollError,
    DatabaseUnavailable,
    EnvironmentUnknown,
    PreflightFailed,
    RedisUnavailable,
)
from atoll.lifecycle import BackgroundTasks
from atoll.supervisor.command.base import Commands, Receipt
from atoll.supervisor.command.messages import Apply, Refresh
from atoll.supervisor.directory import Directory, hidden
from atoll.supervisor.dispatch import Dispatcher
from atoll.supervisor.model_writer import ModelWriter, concerned, contents, model_for
from atoll.supervisor.models import Action, CallerAccount, Finding, StatusRow
from atoll.supervisor.options import changed_record
from atoll.supervisor.preflight import Preflight
from atoll.supervisor.presence.base import Presence
from atoll.supervisor.rows import application_row, environment_row
from atoll.supervisor.sealing import Sealer
from atoll.supervisor.store.base import AppRecord, AppStore, Operation
from atoll.supervisor.watch import Watch

log = logging.getLogger(__name__)

#: How long a removal is waited for before the answer is given without its end.
REMOVAL_SECONDS = 10.0


class Supervisor:
    """Keeps the apps, tells environments, and knows how all of them are doing.

    Args:
        store, presence, commands: opened and closed by their giver (`store.prepare` is called here).
        sealer: with the Supervisor's key pair.
        default_environments: where an app goes when nobody says; a single server gives ("local",).
        reconcile_seconds: how often everything is compared, pushed or not.
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
        reconcile_seconds: float = 5.0,
        command_seconds: float = 60.0,
    ) -> None:
        self.directory = Directory()
        self._store, self._presence, self._commands, self._sealer = store, presence, commands, sealer
        self._tasks = BackgroundTasks("supervisor")
        self._dispatcher = Dispatcher(commands, sealer, self._tasks, self._receipt_changed, command_seconds)
        self._models = ModelWriter(presence, sealer)
        self._preflight = Preflight(self.directory, self._dispatcher, default_environments)
        self._watch = Watch(
            presence,
            sealer,
            store,
            self.directory,
            on_row=self._row_changed,
            on_environment=self._environment_changed,
            on_loss=self._shared_state_lost,
        )
        self._stamp = ""
        self._due = asyncio.Event()
        self._reconcile_seconds = reconcile_seconds
        self._waking: dict[str, asyncio.Task[None]] = {}

    # -- life

    async def start(self) -> None:
        """Reads the store, takes a first look at presence and begins to reconcile. Touches no running app."""
        await self._store.prepare()
        await self._refresh()
        for record in self.directory.records:
            if record.auto_start and record.desired == "ready":
                await self._save(record, "start", lambda present: replace(present, desired="running"))
        await self._watch.load()
        await self._watch.look()
        _ = self._tasks.keep_running("events", self._watch.follow)
        _ = self._tasks.keep_running("presence", self._watch.keep_looking)
        _ = self._tasks.keep_running("reconcile", self._keep_reconciling)

    async def stop(self) -> None:
        """Ends all background work. Apps and environments are left as they are."""
        await self._tasks.cancel_all()

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

    async def check_app(
        self, values: Mapping[str, Any], caller: CallerAccount | None = None
    ) -> list[Finding]:
        """What stands against creating such an app; empty for nothing. Changes nothing."""
        await self._refresh()
        _, findings = await self._preflight.look(values, caller)
        return findings

    async def create_app(
        self, values: Mapping[str, Any], caller: CallerAccount | None = None
    ) -> dict[str, Any]:
        """Saves a new app and begins to create it; gives its row at once (status "preparing").

        Raises PreflightFailed with everything that stands against it; then nothing was created.
        """
        await self._refresh()
        record, findings = await self._preflight.look(values, caller)
        if findings or record is None:
            raise _refusal(findings)
        operation = Operation(
            id=_request_id(), action="create", at=record.created_at, environments=record.environments
        )
        sort = record.sort or 1 + max((known.sort for known in self.directory.listed), default=0)
        record = replace(record, operation=operation, sort=sort)
        await self._store.insert(record)
        self._changed(record, operation.id)
        return self._row(record)

    async def update_app(self, name: str, values: Mapping[str, Any]) -> dict[str, Any]:
        """Changes an app; options that only a restart brings into effect set `restartNeeded` in the row.

        Environments may be added (checked first) and taken away (the app is stopped there).
        Raises AppNotFound, AppOptionsInvalid, AppNameTaken, PreflightFailed.
        """
        record = self._known(name)
        places = _places(values)
        if places is not None and set(places) - set(record.environments):
            findings = await self._preflight.databases(replace(record, environments=places)) or []
            if findings:
                raise _refusal(findings)

        def change(present: AppRecord) -> AppRecord:
            changed = changed_record(present, {key: value for key, value in values.items() if key != "name"})
            if _restart_matters(present) != _restart_matters(changed):
                changed = replace(changed, settings_version=present.settings_version + 1)
            if places is not None:
                left = [place for place in (*present.leaving, *present.environments) if place not in places]
                changed = replace(changed, environments=places, leaving=tuple(dict.fromkeys(left)))
            return changed

        return self._row(await self._save(record, "update", change))

    async def start_app(self, name: str) -> dict[str, Any]:
        """Wants the app to run. A second call changes nothing; after failed tries it tries again at once."""
        record = self._known(name)
        failed = any(each.status == "error" for each in self.directory.placements(record))

        def change(present: AppRecord) -> AppRecord:
            again = failed and present.desired == "running" and present.generation == record.generation
            return replace(present, desired="running", restarts=present.restarts + again)

        return self._row(await self._save(record, "start", _unless_removed(change)))

    async def stop_app(self, name: str) -> dict[str, Any]:
        """Wants the app stopped, also while it is starting."""
        record = self._known(name)
        return self._row(
            await self._save(
                record, "stop", _unless_removed(lambda present: replace(present, desired="stopped"))
            )
        )

    async def restart_app(self, name: str) -> dict[str, Any]:
        """Stops the app where it runs and starts it again."""
        record = self._known(name)

        def change(present: AppRecord) -> AppRecord:
            return replace(present, desired="running", restarts=present.restarts + 1)

        return self._row(await self._save(record, "restart", _unless_removed(change)))

    async def remove_app(self, name: str, *, remove_database: bool = False, force: bool = False) -> bool:
        """Takes the app down everywhere; True when it is gone, False when an environment still has to do it.

        Args:
            remove_database: also drop its database. That of an app that was never installed is dropped
            always.
            force: do not wait for environments that are offline; they do it when they are back.
        """
        record = self._known(name)

        def change(present: AppRecord) -> AppRecord:
            drop = present.remove_database or remove_database or not present.installed
            return replace(present, desired="removed", remove_database=drop, dropped=present.dropped or force)

        saved = await self._save(record, "destroy", change)
        await self._advance(saved)
        return await self.directory.changes.until(
            lambda: (left := self.directory.record(record.uid)) is None or hidden(left), REMOVAL_SECONDS
        )

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

    def doubt(self, environment: str) -> None:
        """The proxy could not reach the environment."""
        self._watch.doubt(environment)

    # -- first visit

    def wake(self, uid: str) -> None:
        """Somebody visits an app that waits for its first visit: it starts, once, however many ask."""
        if uid not in self._waking:
            task = self._tasks.spawn("visit", self._start_for_visit(uid))
            self._waking[uid] = task
            task.add_done_callback(lambda _: self._waking.pop(uid, None))

    async def _start_for_visit(self, uid: str) -> None:
        record = self.directory.record(uid)
        if record is None or record.desired != "ready":
            return

        def change(present: AppRecord) -> AppRecord | None:
            return replace(present, desired="running") if present.desired == "ready" else None

        try:
            await self._save(record, "visit", change)
        except AtollError as error:
            log.warning("an app could not be woken", extra={"app": record.name, "reason": error.message})
            await asyncio.sleep(1.0)

    # -- changing records

    def _known(self, name: str) -> AppRecord:
        record = self.directory.app(name)
        if record is None:
            raise AppNotFound(f"There is no app {name!r}.")
        return record

    def _row(self, record: AppRecord) -> dict[str, Any]:
        request = record.operation.id if record.operation is not None else ""
        return application_row(record, self.directory, self._dispatcher.receipts(request))

    def row_of(self, uid: str) -> dict[str, Any] | None:
        """The row of the app with that identity, None when people do not see it (any more)."""
        record = self.directory.record(uid)
        return None if record is None or hidden(record) else self._row(record)

    async def _save(
        self, record: AppRecord, action: Action | None, change: Callable[[AppRecord], AppRecord | None]
    ) -> AppRecord:
        """Changes the record and tells those concerned; nothing happens when nothing changes."""

        def numbered(present: AppRecord) -> AppRecord | None:
            changed = change(present)
            if changed is None or changed == present:
                return None
            if contents(changed) != contents(present) or concerned(changed) != concerned(present):
                changed = replace(changed, generation=present.generation + 1)
                if _goal(changed) != _goal(present):
                    changed = replace(changed, goal_generation=changed.generation)
                if action is not None:
                    operation = Operation(
                        id=_request_id(), action=action, at=datetime.now(UTC), environments=concerned(changed)
                    )
                    changed = replace(changed, operation=operation)
            return changed

        saved = await self._store.update(record.uid, numbered)
        if saved.generation != record.generation:
            asked = saved.operation if action is not None else None
            self._changed(saved, asked.id if asked is not None else _request_id())
        else:
            self.directory.put(saved)
        return saved

    def _changed(self, record: AppRecord, request: str) -> None:
        self.directory.put(record)
        for environment in concerned(record):
            _ = self._tasks.spawn("push", self._push(record, environment, request))

    async def _push(self, record: AppRecord, environment: str, request: str) -> None:
        """Tells one environment now. If that fails it learns it by itself, from the copies that reconciling
        writes.
        """
        view = self.directory.environments.get(environment)
        if view is None:
            return
        try:
            _ = await self._models.write(environment, view.public_key, self.directory.records)
            instruction = Apply(model_for(record, environment))
            await self._dispatcher.tell(environment, view.public_key, instruction, request)
        except RedisUnavailable as error:
            log.warning(
                "an environment could not be told now",
                extra={"environment": environment, "reason": error.message},
            )

    # -- reconciling

    async def _keep_reconciling(self) -> None:
        while True:
            self._due.clear()
            try:
                await self._reconcile()
            except DatabaseUnavailable as error:
                log.warning(
                    "the app store cannot be read; what is known stays", extra={"reason": error.message}
                )
            try:
                async with asyncio.timeout(self._reconcile_seconds):
                    await self._due.wait()
            except TimeoutError:
                pass

    async def _reconcile(self) -> None:
        await self._refresh()
        for record in self.directory.records:
            await self._advance(record)
        for view in list(self.directory.environments.values()):
            if view.available:
                await self._write_models(view.name, view.public_key)

    async def _write_models(self, environment: str, public_key: str) -> None:
        try:
            if await self._models.write(environment, public_key, self.directory.records):
                await self._dispatcher.tell(environment, public_key, Refresh(), _request_id())
        except RedisUnavailable as error:
            log.info("copies of the models wait until Redis is back", extra={"reason": error.message})

    async def _refresh(self) -> None:
        """Reads the store again when somebody changed it."""
        stamp = await self._store.stamp()
        if stamp != self._stamp:
            self.directory.replace_all(await self._store.apps())
            self._stamp = stamp

    async def _advance(self, record: AppRecord) -> None:
        """Draws from the rows what the record should say now."""
        rows = self.directory.rows(record.uid)

        def change(present: AppRecord) -> AppRecord:
            if any(row.installed for row in rows) and not present.installed and present.desired != "removed":
                present = replace(present, installed=True, admin=None)
            if present.desired == "ready" and any(row.status == "running" for row in rows):
                present = replace(present, desired="running")
            done = {
                row.environment for row in rows if row.removed and row.generation >= present.goal_generation
            }
            if present.desired == "removed":
                gone = tuple(name for name in present.environments if name in done or name in present.gone)
                present = replace(present, gone=gone)
            return replace(present, leaving=tuple(name for name in present.leaving if name not in done))

        if change(record) != record:
            record = await self._save(record, None, change)
        everywhere = record.desired == "removed" and set(record.gone) >= set(record.environments)
        if everywhere and (not record.remove_database or any(row.database_dropped for row in rows)):
            await self._finish_removal(record)

    async def _finish_removal(self, record: AppRecord) -> None:
        await self._store.delete(record.uid)
        self.directory.drop(record.uid)
        self._due.set()

    # -- what others tell

    async def _row_changed(self, row: StatusRow) -> None:
        record = self.directory.record(row.uid)
        if record is None:
            return
        try:
            await self._advance(record)
        except AtollError as error:
            log.warning("a status waits until the store can be written", extra={"reason": error.message})

    def _environment_changed(self, name: str) -> None:
        self._due.set()

    def _shared_state_lost(self) -> None:
        for name in self.directory.environments:
            self._models.forget(name)
        self._due.set()

    def _receipt_changed(self, receipt: Receipt) -> None:
        for record in self.directory.records:
            if record.operation is not None and record.operation.id == receipt.request_id:
                self.directory.touch(record.uid)


def _request_id() -> str:
    return secrets.token_hex(12)


def _goal(record: AppRecord) -> tuple[object, ...]:
    return (record.desired, record.restarts, record.environments, record.remove_database, record.gone)


def _restart_matters(record: AppRecord) -> tuple[object, ...]:
    return (record.display_name, record.connection, record.database, record.secret, record.options)


def _unless_removed(change: Callable[[AppRecord], AppRecord]) -> Callable[[AppRecord], AppRecord]:
    """Removing is final: a start or stop that comes later changes nothing."""
    return lambda present: present if present.desired == "removed" else change(present)


def _places(values: Mapping[str, Any]) -> tuple[str, ...] | None:
    given = values.get("environments")
    return tuple(dict.fromkeys(str(name) for name in given)) if isinstance(given, list) and given else None


def _refusal(findings: list[Finding]) -> PreflightFailed:
    message = " ".join(f"{each.message} {each.remedy}".strip() for each in findings)
    return PreflightFailed(message, code=findings[0].code, problems=msgspec.to_builtins(findings))

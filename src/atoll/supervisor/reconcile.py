"""From what should be the case to what is: saving changes, telling environments, drawing conclusions from
rows.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Callable
from datetime import UTC, datetime

from msgspec.structs import replace

from atoll.errors import DatabaseUnavailable, RedisUnavailable
from atoll.lifecycle import BackgroundTasks
from atoll.supervisor.command.messages import Apply, Refresh
from atoll.supervisor.directory import Directory
from atoll.supervisor.dispatch import Dispatcher
from atoll.supervisor.history import History
from atoll.supervisor.model_writer import ModelWriter, concerned, contents, model_for
from atoll.supervisor.models import Action, AppModel, StatusRow
from atoll.supervisor.placing import numbered
from atoll.supervisor.store.base import AppRecord, AppStore, Operation

log = logging.getLogger(__name__)


def request_id() -> str:
    """Identity of one request; what comes twice under one id is done once."""
    return secrets.token_hex(12)


class Reconciler:
    """Pushes every change at once, and compares everything regularly, so that a lost message only delays.

    Args:
        seconds: how often everything is compared.
    """

    def __init__(
        self,
        store: AppStore,
        directory: Directory,
        dispatcher: Dispatcher,
        models: ModelWriter,
        history: History,
        tasks: BackgroundTasks,
        seconds: float,
    ) -> None:
        self._store, self._directory, self._dispatcher = store, directory, dispatcher
        self._models, self._history, self._tasks, self._seconds = models, history, tasks, seconds
        self._due = asyncio.Event()
        self._deleted: set[str] = set()

    def soon(self) -> None:
        """Compares everything now instead of at the next turn."""
        self._due.set()

    def lost(self) -> None:
        """Shared state is not what was last written."""
        for name in self._directory.environments:
            self._models.forget(name)
        self.soon()

    # -- saving

    async def save(
        self,
        record: AppRecord,
        action: Action | None,
        change: Callable[[AppRecord], AppRecord | None],
        *,
        by: str = "",
        where: str | None = None,
    ) -> AppRecord:
        """Changes the record and tells those concerned; nothing happens when nothing changes.

        Args:
            where: the only environment for which somebody asked.
        """

        def counted(present: AppRecord) -> AppRecord | None:
            changed = change(present)
            if changed is None or changed == present:
                return None
            if _told(changed) != _told(present):
                changed = numbered(present, replace(changed, generation=present.generation + 1))
                if _goal(changed) != _goal(present):
                    changed = replace(changed, goal_generation=changed.generation)
                if action is not None:
                    places = (where,) if where is not None else concerned(changed)
                    changed = replace(changed, operation=operation(action, places, by))
            return changed

        saved = await self._store.update(record.uid, counted)
        if saved.generation != record.generation:
            asked = saved.operation if action is not None else None
            self.tell(saved, asked)
        else:
            self._directory.put(saved)
        return saved

    def tell(self, record: AppRecord, asked: Operation | None) -> None:
        """Pushes a changed record, for somebody who asked or because it followed."""
        self._directory.put(record)
        if asked is not None:
            self._history.asked(record.uid, asked)
        request = asked.id if asked is not None else request_id()
        for environment in concerned(record):
            _ = self._tasks.spawn("push", self._push(record, environment, request))

    async def _push(self, record: AppRecord, environment: str, request: str) -> None:
        """Tells one environment now. If that fails, it learns it from the copies that reconciling writes."""
        view = self._directory.environments.get(environment)
        if view is None:
            return
        try:
            _ = await self._write(environment, view.public_key)
            instruction = Apply(model_for(record, environment))
            await self._dispatcher.tell(environment, view.public_key, instruction, request)
        except RedisUnavailable as error:
            log.warning(
                "an environment could not be told now",
                extra={"environment": environment, "reason": error.message},
            )

    # -- comparing

    async def run(self) -> None:
        """Compares for as long as it runs."""
        while True:
            self._due.clear()
            try:
                await self.compare()
            except DatabaseUnavailable as error:
                log.warning(
                    "the app store cannot be read; what is known stays", extra={"reason": error.message}
                )
            try:
                async with asyncio.timeout(self._seconds):
                    _ = await self._due.wait()
            except TimeoutError:
                pass

    async def compare(self) -> None:
        """Compares everything once."""
        await self.refresh()
        for record in self._directory.records:
            await self.advance(record)
        for view in list(self._directory.environments.values()):
            if view.available:
                await self._write_models(view.name, view.public_key)

    async def refresh(self) -> None:
        """Reads from the store what somebody changed."""
        # Asked before: what is put there while the store answers is newer than the answer, not deleted.
        known = {
            record.uid: record.version
            for record in self._directory.records
            if record.uid not in self._deleted
        }
        versions = await self._store.versions()
        self._directory.drain(await self._store.draining())
        changed = [uid for uid, version in versions.items() if known.get(uid, 0) < version]
        if changed:
            for record in await self._store.apps(changed):
                self._directory.put(record)
        for uid in known.keys() - versions.keys():
            if known[uid]:
                self._take_down(uid)
            else:  # recalled from disk: that alone is no reason to take anything down
                self._directory.drop(uid)

    def _take_down(self, uid: str) -> None:
        """Another Supervisor of the same store deleted the record. An app that still runs where only this one
        sees it (each server of a cluster hosts apps of its own) is taken down before it is forgotten."""
        record = self._directory.record(uid)
        if record is None:
            return
        generation = record.generation + 1
        self._deleted.add(uid)
        self.tell(
            replace(
                record,
                desired="removed",
                dropped=True,
                remove_database=False,
                gone=(),
                generation=generation,
                goal_generation=generation,
                version=record.version + 1,
            ),
            None,
        )

    def _forget_taken_down(self, record: AppRecord) -> None:
        if all(row.removed for row in self._directory.rows(record.uid)):
            self._deleted.discard(record.uid)
            self._directory.drop(record.uid)
            self.soon()

    async def clear_away(self, row: StatusRow) -> None:
        """An instance runs an app whose record is gone: it slept through the removal. It is told to stop it.

        Only to stop: a record may also be missing because an old backup of the store was restored.
        """
        view = self._directory.environments.get(row.environment)
        if view is None or row.removed or await self._store.apps([row.uid]):
            return
        generation = row.generation + 1
        forgotten = AppModel(
            uid=row.uid,
            name=row.app,
            display_name=row.app,
            desired="removed",
            generation=generation,
            goal_generation=generation,
            secret="",
        )
        log.warning("an app without a record is stopped", extra={"app": row.app, "environment": view.name})
        await self._dispatcher.tell(view.name, view.public_key, Apply(forgotten), request_id())

    async def _write_models(self, environment: str, public_key: str) -> None:
        try:
            if await self._write(environment, public_key):
                await self._dispatcher.tell(environment, public_key, Refresh(), request_id())
        except RedisUnavailable as error:
            log.info("copies of the models wait until Redis is back", extra={"reason": error.message})

    async def _write(self, environment: str, public_key: str) -> bool:
        drain = environment in self._directory.draining
        return await self._models.write(environment, public_key, self._directory.records, drain=drain)

    async def advance(self, record: AppRecord) -> None:
        """Draws from the rows what the record should say now."""
        if record.uid in self._deleted:
            self._forget_taken_down(record)
            return
        rows = self._directory.rows(record.uid)

        def change(present: AppRecord) -> AppRecord:
            if any(row.installed for row in rows) and not present.installed and present.desired != "removed":
                present = replace(present, installed=True, admin=None)
            if present.desired == "ready" and any(row.status == "running" for row in rows):
                present = replace(present, desired="running")
            done = self._directory.gone(present.uid, present.goal_generation)
            if present.desired == "removed":
                gone = tuple(name for name in present.environments if name in done or name in present.gone)
                present = replace(present, gone=gone)
            return replace(present, leaving=tuple(name for name in present.leaving if name not in done))

        if change(record) != record:
            record = await self.save(record, None, change)
        everywhere = record.desired == "removed" and set(record.gone) >= set(record.environments)
        if everywhere and (not record.remove_database or any(row.database_dropped for row in rows)):
            self._history.forget(record.uid)
            await self._store.delete(record.uid)
            self._directory.drop(record.uid)
            self.soon()


def operation(action: Action, environments: tuple[str, ...], by: str) -> Operation:
    """Something asked for now."""
    return Operation(id=request_id(), action=action, at=datetime.now(UTC), environments=environments, by=by)


def _told(record: AppRecord) -> tuple[object, ...]:
    """What environments are told, and which."""
    return (contents(record), concerned(record), record.placed)


def _goal(record: AppRecord) -> tuple[object, ...]:
    return (record.desired, record.restarts, record.environments, record.remove_database, record.gone)

"""What happened to the apps, for people who ask why."""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict

from atoll.errors import AtollError
from atoll.supervisor.directory import EnvironmentView
from atoll.supervisor.models import StatusRow
from atoll.supervisor.store.base import AppEvent, AppRecord, AppStore, Operation

log = logging.getLogger(__name__)

_GATHER_SECONDS = 0.25
_PAUSE = 5.0
_MOST_WAITING = 200


class History:
    """Collects events and writes them to the store a little later, so that nothing waits for it."""

    def __init__(self, store: AppStore) -> None:
        self._store = store
        self._waiting: defaultdict[str, list[AppEvent]] = defaultdict(list)
        self._filled = asyncio.Event()
        self._last: defaultdict[str, dict[str, str]] = defaultdict(dict)

    def asked(self, uid: str, operation: Operation) -> None:
        """Somebody asked for something."""
        event = AppEvent(
            key=f"asked|{operation.id}",
            at=operation.at,
            environment=operation.environments[0] if len(operation.environments) == 1 else "",
            action=operation.action,
            by=operation.by,
        )
        self._add(uid, event)

    def row(self, record: AppRecord, row: StatusRow, before: StatusRow | None) -> None:
        """A row came; it is an event when the status is another one than before."""
        was = self._last[row.uid].get(row.environment) or (before.status if before is not None else "")
        self._last[row.uid][row.environment] = row.status
        if was == row.status:
            return
        operation = record.operation
        self._add(
            row.uid,
            AppEvent(
                key=f"row|{row.environment}|{row.instance}|{row.since:%Y%m%dT%H%M%S%f}|{row.status}",
                at=row.since,
                environment=row.environment,
                was=was,
                became=row.status,
                action=operation.action if operation is not None else "",
                by=operation.by if operation is not None else "",
                seconds=(row.since - before.since).total_seconds() if before is not None else None,
                reason=row.reason,
            ),
        )

    def left(self, view: EnvironmentView, record: AppRecord) -> None:
        """The environment of an app went away."""
        was = self._last[record.uid].get(view.name, "")
        self._last[record.uid][view.name] = "unknown"
        if view.last_seen is None or was in ("", "unknown"):
            return
        self._add(
            record.uid,
            AppEvent(
                key=f"left|{view.name}|{view.last_seen:%Y%m%dT%H%M%S%f}",
                at=view.last_seen,
                environment=view.name,
                was=was,
                became="unknown",
                reason=view.reason,
            ),
        )

    async def flush(self) -> None:
        """Writes what is waiting. Raises the errors of the store; what could not be written waits on."""
        for uid in list(self._waiting):
            events = self._waiting.pop(uid)
            try:
                await self._store.note(uid, events)
            except AtollError:
                self._waiting[uid] = (events + self._waiting.pop(uid, []))[-_MOST_WAITING:]
                raise

    async def run(self) -> None:
        """Writes for as long as it runs."""
        while True:
            _ = await self._filled.wait()
            await asyncio.sleep(_GATHER_SECONDS)
            self._filled.clear()
            try:
                await self.flush()
            except AtollError as error:
                log.warning("what happened to apps is written later", extra={"reason": error.message})
                await asyncio.sleep(_PAUSE)
                self._filled.set()

    def forget(self, uid: str) -> None:
        """The app is gone; so is its history."""
        self._waiting.pop(uid, None)
        self._last.pop(uid, None)

    def _add(self, uid: str, event: AppEvent) -> None:
        self._waiting[uid].append(event)
        self._filled.set()

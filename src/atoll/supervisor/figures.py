"""The traffic of all apps as the Supervisor sees it: what the instances counted, put together."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from atoll.errors import MessageRefused, RedisUnavailable
from atoll.supervisor.courses import Courses
from atoll.supervisor.directory import Directory
from atoll.supervisor.presence.base import Presence
from atoll.supervisor.rows import shown_time
from atoll.supervisor.sealing import Sealer
from atoll.supervisor.store.base import AppRecord
from atoll.supervisor.traffic import SLOT_SECONDS, SLOTS, Figures, Report, percentile, summed, well_formed

log = logging.getLogger(__name__)
_WINDOW_MINUTES = SLOTS * SLOT_SECONDS / 60
Instance = tuple[str, str]


class TrafficView:
    """Reads the reports regularly. They are lost with Redis and come back with the next ones.

    Args:
        seconds: how often.
    """

    def __init__(
        self, presence: Presence, sealer: Sealer, directory: Directory, seconds: float = 5.0
    ) -> None:
        self._presence, self._sealer, self._directory = presence, sealer, directory
        self._seconds = seconds
        self._reports: dict[Instance, Report] = {}
        self._last: dict[str, float] = {}
        self.courses = Courses()

    async def run(self) -> None:
        """Reads for as long as it runs."""
        while True:
            try:
                await self.look()
            except RedisUnavailable as error:
                log.debug("traffic cannot be read now", extra={"reason": error.message})
            await asyncio.sleep(self._seconds)

    async def look(self) -> None:
        """Reads what all live instances counted, and says which apps have other figures now."""
        live = {
            (view.name, each.card.instance): view.public_key
            for view in self._directory.environments.values()
            for each in view.instances
            if each.alive
        }
        found = await self._presence.traffic(live.keys())
        before = self._reports
        self._reports = {
            instance: report
            for instance, body in found.items()
            if (report := self._read(instance, live.get(instance, ""), body)) is not None
        }
        self._last = self._latest()
        self.courses.take(self._reports.values(), {record.uid for record in self._directory.records})
        changed: set[str] = set()
        for instance in before.keys() | self._reports.keys():
            was, now = _apps(before.get(instance)), _apps(self._reports.get(instance))
            changed.update(uid for uid in was.keys() | now.keys() if was.get(uid) != now.get(uid))
        for uid in changed:
            self._directory.touch(uid)

    def row(self, record: AppRecord) -> dict[str, Any]:
        """`traffic` of an app's row: all environments together, and each by itself in `environments`.

        `lastRequestAt` is None for an app that nobody visited since its environments and the Supervisor
        began.
        """
        by_environment = {
            name: [report for (environment, _), report in self._reports.items() if environment == name]
            for name in record.environments
        }
        reports = [report for several in by_environment.values() for report in several]
        return _shown(record.uid, reports) | {
            "seconds": SLOTS * SLOT_SECONDS,
            "lastRequestAt": _moment(self._last.get(record.uid)),
            "environments": {
                name: _shown(record.uid, several) for name, several in by_environment.items() if several
            },
        }

    def _latest(self) -> dict[str, float]:
        """Also what instances told that are gone by now. A clock that is ahead tells of no future here."""
        now = time.time()
        told = [self._last, *(report.last for report in self._reports.values())]
        return {
            uid: min(now, max(each[uid] for each in told if uid in each))
            for uid in set[str]().union(*told)
            if self._directory.record(uid) is not None
        }

    def _read(self, instance: Instance, public_key: str, body: bytes) -> Report | None:
        try:
            opened = self._sealer.unwrap("traffic", body)
            report = msgspec.msgpack.decode(opened.body, type=Report)
        except (MessageRefused, msgspec.MsgspecError) as error:
            log.warning(
                "a traffic report was refused", extra={"environment": instance[0], "reason": str(error)}
            )
            return None
        honest = (report.environment, report.instance) == instance and well_formed(report)
        if opened.header.scheme == "pair":
            honest = honest and opened.header.sender == public_key
        if not honest:
            log.warning("a traffic report was written by somebody else", extra={"environment": instance[0]})
            return None
        return report


def _apps(report: Report | None) -> dict[str, Figures]:
    return dict(report.apps) if report is not None else {}


def _shown(uid: str, reports: Collection[Report]) -> dict[str, Any]:
    """Times in milliseconds, memory in bytes. None where nothing is known or there was no request."""
    figures = summed(report.apps[uid] for report in reports if uid in report.apps)
    requests, errors = sum(figures.requests), sum(figures.errors)
    return {
        "requests": requests,
        "errors": errors,
        "perMinute": round(requests / _WINDOW_MINUTES, 1),
        "errorRate": round(errors / requests, 4) if requests else None,
        "p95": _milliseconds(percentile(figures.times, 0.95)),
        "memory": sum(report.memory for report in reports) or None,
        "series": {
            "requests": list(figures.requests),
            "errors": list(figures.errors),
            "p95": [_milliseconds(each) for each in figures.slow],
            "memory": _columns(report.memories for report in reports if report.memories),
        },
    }


def _moment(seconds: float | None) -> str | None:
    return shown_time(datetime.fromtimestamp(seconds, UTC)) if seconds is not None else None


def _milliseconds(micros: int) -> float | None:
    return round(micros / 1000, 2) if micros else None


def _columns(rows: Iterable[Sequence[int]]) -> list[int | None]:
    return [sum(column) or None for column in zip(*rows, strict=True)] or [None] * SLOTS

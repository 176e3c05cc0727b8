"""How requests, errors, answer times and memory went over the last minutes, hour and day.

Instances report their last five minutes; each slot of them is taken once and kept here in three resolutions,
in arrays of fixed length: about eight kilobytes for each app and environment that is visited. What was
before this Supervisor began is not known, and shown as such.
"""

from __future__ import annotations

import time
from array import array
from collections.abc import Callable, Collection, Iterable
from datetime import UTC, datetime
from typing import Any, NamedTuple

from atoll.supervisor.traffic import SLOT_SECONDS, SLOTS, Figures, Report


class Span(NamedTuple):
    """One resolution: so many points of so many slots each."""

    slots: int
    points: int

    @property
    def seconds(self) -> float:
        """How long one point is."""
        return self.slots * SLOT_SECONDS


SPANS = {"15m": Span(1, 72), "1h": Span(4, 72), "24h": Span(72, 96)}
#: The newest slots are being filled, or reported.
_UNDER_WAY = 2
_Key = tuple[str, str]  # of an app (its uid, "" for the processes themselves) and an environment


class _Ring:
    """The newest points of one resolution; a point's place follows from its number."""

    __slots__ = ("_columns", "_numbers", "_span")

    def __init__(self, span: Span, columns: int) -> None:
        self._span = span
        self._numbers = array("q", [-1] * span.points)
        self._columns = [array("Q", [0] * span.points) for _ in range(columns)]

    def place(self, slot: int) -> int:
        """Where the slot is counted; what was there a round ago is forgotten."""
        number = slot // self._span.slots
        at = number % self._span.points
        if self._numbers[at] != number:
            self._numbers[at] = number
            for column in self._columns:
                column[at] = 0
        return at

    def add(self, slot: int, *values: int) -> None:
        """Counts in addition."""
        at = self.place(slot)
        for column, value in zip(self._columns, values, strict=True):
            column[at] += value

    def top(self, slot: int, value: int) -> None:
        """Keeps the largest."""
        at = self.place(slot)
        self._columns[0][at] = max(self._columns[0][at], value)

    def read(self, last: int) -> list[tuple[int, ...] | None]:
        """The points up to the one with that slot, oldest first; None where nothing was counted."""
        newest = last // self._span.slots
        found: list[tuple[int, ...] | None] = []
        for number in range(newest - self._span.points + 1, newest + 1):
            at = number % self._span.points
            known = self._numbers[at] == number
            found.append(tuple(column[at] for column in self._columns) if known else None)
        return found


class Courses:
    """Keeps them for all apps and environments.

    Args:
        clock: seconds since 1970.
    """

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._began = self._slot()
        self._requests: dict[_Key, dict[str, _Ring]] = {}
        self._memory: dict[str, dict[str, _Ring]] = {}
        self._taken: dict[_Key, tuple[int, int]] = {}  # by instance: its clock's lead, and the last slot

    def take(self, reports: Iterable[Report], known: Collection[str]) -> None:
        """Takes over what is new in reports. Apps that are not among those known (uids) are forgotten."""
        now, memory = self._slot(), dict[str, int]()
        # One that is away for a moment must not be counted twice; after a longer time all it tells is new.
        self._taken = {who: taken for who, taken in self._taken.items() if sum(taken) > now - 2 * SLOTS}
        for report in reports:
            memory[report.environment] = memory.get(report.environment, 0) + report.memory
            instance = report.environment, report.instance
            lead, last = self._taken.get(instance, (now - report.slot, report.slot - SLOTS))
            self._taken[instance] = lead, max(last, report.slot - 1)
            for uid, figures in report.apps.items():
                # The newest slot is still being filled.
                for back in range(2, len(figures.requests) + 1):
                    slot = report.slot - back + 1
                    if slot <= last:
                        break
                    self._count(uid, report.environment, lead + slot, figures, -back)
        for environment, used in memory.items():
            for ring in self._rings(self._memory, environment, 1).values():
                ring.top(now, used)
        self._requests = {key: rings for key, rings in self._requests.items() if key[0] in known}

    def read(self, span: str, uids: Collection[str], environments: Collection[str]) -> dict[str, Any]:
        """All those apps in all those environments together.

        Gives `seconds` of a point, `lastSeconds` that are counted of the last one, `begins` of the first one,
        and `series`, oldest first: `requests`,
        `errors`, `p95` in milliseconds (of each slot, weighted by its requests) and `memory` in bytes (the
        largest); None where nothing is known.
        """
        chosen, last = SPANS[span], self._slot() - _UNDER_WAY
        newest = last // chosen.slots
        first = newest - chosen.points + 1
        counted = [(0, 0, 0)] * chosen.points
        for uid in uids:
            for environment in environments:
                rings = self._requests.get((uid, environment))
                for at, point in enumerate(rings[span].read(last) if rings is not None else ()):
                    if point is not None:
                        requests, errors, weighed = counted[at]
                        counted[at] = (requests + point[0], errors + point[1], weighed + point[2])
        unknown = max(0, self._began // chosen.slots - first)
        return {
            "seconds": chosen.seconds,
            "lastSeconds": (last % chosen.slots + 1) * SLOT_SECONDS,
            "begins": datetime.fromtimestamp(first * chosen.seconds, UTC).isoformat(timespec="milliseconds"),
            "series": {
                "requests": [p[0] if p[0] or at >= unknown else None for at, p in enumerate(counted)],
                "errors": [p[1] if p[0] or at >= unknown else None for at, p in enumerate(counted)],
                "p95": [round(each[2] / each[0] / 1000, 2) if each[0] else None for each in counted],
                "memory": self._read_memory(span, environments, last),
            },
        }

    def _count(self, uid: str, environment: str, slot: int, figures: Figures, at: int) -> None:
        requests = figures.requests[at]
        if requests:
            for ring in self._rings(self._requests, (uid, environment), 3).values():
                ring.add(slot, requests, figures.errors[at], figures.slow[at] * requests)

    def _read_memory(self, span: str, environments: Collection[str], last: int) -> list[int | None]:
        together: list[int | None] = [None] * SPANS[span].points
        for environment in environments:
            rings = self._memory.get(environment)
            for at, point in enumerate(rings[span].read(last) if rings is not None else ()):
                if point is not None and point[0]:
                    together[at] = (together[at] or 0) + point[0]
        return together

    def _slot(self) -> int:
        return int(self._clock() / SLOT_SECONDS)

    @staticmethod
    def _rings(kept: dict[Any, dict[str, _Ring]], key: Any, columns: int) -> dict[str, _Ring]:
        rings = kept.get(key)
        if rings is None:
            rings = kept[key] = {name: _Ring(span, columns) for name, span in SPANS.items()}
        return rings

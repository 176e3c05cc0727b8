"""How many requests apps serve, how quickly, and how many fail: counted where they are served.

The last five minutes in 24 slots. An app costs a few kilobytes, whatever happens to it, and only when it is
visited; a request costs less than a microsecond.
"""

from __future__ import annotations

import time
from array import array
from collections.abc import Callable, Iterable, Mapping, Sequence

from msgspec import Struct

SLOTS = 24
SLOT_SECONDS = 12.5
BUCKETS = 40
"""Times are kept by size, two buckets to each doubling: up to 256 µs, then 256 to 384, 384 to 512, and so on
to more than two minutes."""
_FIRST = 2 * 8
_LATEST = 2.0**37  # seconds since 1970 that every calendar can show


class Figures(Struct, frozen=True, array_like=True):
    """The last five minutes of one app, oldest slot first.

    Args:
        requests, errors: per slot; an error is an answer with status 500 or more.
        slow: per slot, 95 % of answers began within so many microseconds; 0 for no request.
        times: requests per bucket, all slots together.
    """

    requests: Sequence[int]
    errors: Sequence[int]
    slow: Sequence[int]
    times: Sequence[int]


class Report(Struct, frozen=True, array_like=True):
    """What one instance counted.

    Args:
        apps: figures by the app's uid; apps that nobody visited for five minutes are left out.
        memory: of the instance's process in bytes, all its apps together; `memories` per slot, 0 for unknown.
        last: when the last request of an app was answered, in seconds since 1970, by the app's uid; for all
            apps that were visited since the instance began.
        slot: number of the newest slot, since the instance's clock began.
    """

    environment: str
    instance: str
    apps: Mapping[str, Figures]
    memory: int = 0
    memories: Sequence[int] = ()
    last: Mapping[str, float] = {}
    slot: int = 0


class _Counts:
    """Of one app: the slot that is being filled, and the ring of those before it.

    Args:
        slot: number of the slot that is being filled, since the clock began.

    Attributes:
        last: when the last request was counted, by the clock.
    """

    __slots__ = ("_past", "_total", "errors", "last", "slot", "times", "until")

    def __init__(self, slot: int) -> None:
        self._past: dict[int, _Slot] = {}
        self._total = [0] * BUCKETS
        self.last = 0.0
        self._begin(slot)

    def _begin(self, slot: int) -> None:
        self.slot, self.until = slot, (slot + 1) * SLOT_SECONDS
        self.times, self.errors = [0] * BUCKETS, 0

    def advance(self, slot: int) -> None:
        """Goes on to another slot; what is older than the window is forgotten."""
        if slot == self.slot:
            return
        if any(self.times):
            self._past[self.slot] = _Slot(array("I", self.times), self.errors)
            self._total = [old + new for old, new in zip(self._total, self.times, strict=True)]
        for number in [number for number in self._past if number <= slot - SLOTS]:
            gone = self._past.pop(number).times
            self._total = [old - new for old, new in zip(self._total, gone, strict=True)]
        self._begin(slot)

    def figures(self) -> Figures | None:
        """What the window holds, None for nothing."""
        slots = self._past
        if any(self.times):
            slots = {**slots, self.slot: _Slot(array("I", self.times), self.errors)}
        if not slots:
            return None
        window = [slots.get(number) for number in range(self.slot - SLOTS + 1, self.slot + 1)]
        return Figures(
            [slot.requests if slot is not None else 0 for slot in window],
            [slot.errors if slot is not None else 0 for slot in window],
            [slot.slow if slot is not None else 0 for slot in window],
            [old + new for old, new in zip(self._total, self.times, strict=True)],
        )


class _Slot:
    """A slot, for good."""

    __slots__ = ("errors", "requests", "slow", "times")

    def __init__(self, times: array[int], errors: int) -> None:
        self.times, self.errors = times, errors
        self.requests, self.slow = sum(times), percentile(times, 0.95)


class Traffic:
    """Counts for one process.

    Args:
        clock: seconds that only grow.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._apps: dict[str, _Counts] = {}
        self._last: dict[str, float] = {}  # of apps that nobody visited for a while
        self._memories: dict[int, int] = {}

    def note(self, app: str, seconds: float, status: int) -> None:
        """Counts a request whose answer began after so many seconds."""
        now = self._clock()
        counts = self._apps.get(app)
        if counts is None:
            counts = self._apps[app] = _Counts(int(now / SLOT_SECONDS))
        elif now >= counts.until:
            counts.advance(int(now / SLOT_SECONDS))
        if status >= 500:
            counts.errors += 1
        counts.last = now
        counts.times[bucket_of(seconds)] += 1

    def report(self, environment: str, instance: str, uids: Mapping[str, str], memory: int = 0) -> Report:
        """What was counted, for the apps in `uids` (by name). What was counted for others is forgotten."""
        now = self._clock()
        slot = int(now / SLOT_SECONDS)
        found: dict[str, Figures] = {}
        for name, counts in list(self._apps.items()):
            counts.advance(slot)
            uid, figures = uids.get(name), counts.figures()
            self._last[name] = counts.last
            if uid is None or figures is None:
                del self._apps[name]
            else:
                found[uid] = figures
        self._last = {name: at for name, at in self._last.items() if name in uids}
        began = time.time() - now
        last = {uids[name]: round(began + at, 3) for name, at in self._last.items()}
        self._memories = {at: size for at, size in self._memories.items() if at > slot - SLOTS} | {
            slot: memory
        }
        memories = [self._memories.get(at, 0) for at in range(slot - SLOTS + 1, slot + 1)]
        return Report(environment, instance, found, memory, memories, last, slot)


def bucket_of(seconds: float) -> int:
    """The bucket for a time."""
    micros = int(seconds * 1_000_000)
    bits = micros.bit_length()
    if bits < 9:
        return 0
    bucket = 2 * bits + (micros >> (bits - 2) & 1) - _FIRST - 1
    return bucket if bucket < BUCKETS else BUCKETS - 1


def bounds(bucket: int) -> tuple[int, int]:
    """From where to where a bucket goes, in microseconds."""
    if bucket == 0:
        return 0, 256
    octave, half = divmod(bucket - 1, 2)
    low = 256 << octave
    return (low + low // 2, 2 * low) if half else (low, low + low // 2)


def percentile(times: Sequence[int], part: float) -> int:
    """Within how many microseconds that part of the requests was answered; 0 for no request."""
    wanted = sum(times) * part
    if not wanted:
        return 0
    seen = 0
    for bucket, count in enumerate(times):
        if count and seen + count >= wanted:
            low, high = bounds(bucket)
            return round(low + (high - low) * (wanted - seen) / count)
        seen += count
    return bounds(BUCKETS - 1)[1]


def summed(several: Iterable[Figures]) -> Figures:
    """All together; per slot the slowest counts, as buckets of single slots are not known here."""
    given = list(several)

    def added(rows: list[Sequence[int]], length: int) -> list[int]:
        return [sum(column) for column in zip(*rows, strict=True)] if rows else [0] * length

    return Figures(
        added([each.requests for each in given], SLOTS),
        added([each.errors for each in given], SLOTS),
        [max(column) for column in zip(*(each.slow for each in given), strict=True)] or [0] * SLOTS,
        added([each.times for each in given], BUCKETS),
    )


def well_formed(report: Report) -> bool:
    """Whether all rows have the length they must have, and times are times."""
    return (
        len(report.memories) in (0, SLOTS)
        and all(
            len(each.requests) == len(each.errors) == len(each.slow) == SLOTS and len(each.times) == BUCKETS
            for each in report.apps.values()
        )
        and all(0 <= at <= _LATEST for at in report.last.values())
        and 0 <= report.slot <= _LATEST
    )

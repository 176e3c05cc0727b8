"""What the Supervisor knows now, in memory: apps, environments, rows, and what follows from them."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import UTC, datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from atoll.supervisor.change import Changes
from atoll.supervisor.models import (
    TRANSITIONAL,
    EnvironmentCard,
    InstanceState,
    Reason,
    Status,
    StatusRow,
)
from atoll.supervisor.routing import normal_host
from atoll.supervisor.store.base import AppRecord

#: How long after its time something counts as overdue; allows for clocks that differ.
_TOLERANCE = timedelta(seconds=30)


class EnvironmentView(Struct, frozen=True, kw_only=True):
    """One environment as the Supervisor sees it.

    Args:
        card: of its newest live instance, else the last one seen.
        public_key: the trusted one.
        left: it said goodbye and did not just vanish.
        reason: why it is not available, or what is wrong with it.
        beats: its last heartbeats since this Supervisor looks, oldest first.
    """

    name: str
    card: EnvironmentCard
    public_key: str
    available: bool
    instances: tuple[InstanceState, ...] = ()
    reason: Reason | None = None
    last_seen: datetime | None = None
    last_heartbeat: datetime | None = None
    left: bool = False
    beats: tuple[datetime, ...] = ()

    def live(self, instance: str) -> bool:
        """True when that instance of it is alive."""
        return any(known.alive and known.card.instance == instance for known in self.instances)


class Placement(Struct, frozen=True, kw_only=True):
    """How an app is doing in one environment."""

    environment: str
    status: Status
    row: StatusRow | None = None
    reason: Reason | None = None


class Directory:
    """The state that routes and API rows are computed from. Never waits; the newest known state stays."""

    def __init__(self) -> None:
        self.changes = Changes()
        self.environments: dict[str, EnvironmentView] = {}
        self.draining: frozenset[str] = frozenset()
        self._records: dict[str, AppRecord] = {}
        self._by_name: dict[str, str] = {}
        self._by_host: dict[str, str] = {}
        self._rows: dict[str, dict[tuple[str, str], StatusRow]] = {}
        self._followers: list[Callable[[str | None, str | None], None]] = []

    def follow(self, follower: Callable[[str | None, str | None], None]) -> Callable[[], None]:
        """Calls `follower(uid, environment)` after each change: of one app, or of an environment and all
        its apps.

        Gives the function that ends it.
        """
        self._followers.append(follower)
        return lambda: self._followers.remove(follower)

    def touch(self, uid: str | None = None, environment: str | None = None) -> None:
        """Says that something about an app or an environment changed."""
        for follower in tuple(self._followers):
            follower(uid, environment)
        self.changes.notify()

    def drain(self, names: Collection[str]) -> None:
        """Says which environments should take no new work."""
        before, self.draining = self.draining, frozenset(names)
        for name in before ^ self.draining:
            self.touch(environment=name)

    # -- apps

    def put(self, record: AppRecord) -> None:
        """Takes over one record, unless a newer one is known."""
        known = self._records.get(record.uid)
        if known is None or known.version <= record.version:
            self._records[record.uid] = record
            self._index()
            self.touch(record.uid)

    def drop(self, uid: str) -> None:
        """Forgets an app."""
        self._records.pop(uid, None)
        self._rows.pop(uid, None)
        self._index()
        self.touch(uid)

    def app(self, name: str) -> AppRecord | None:
        """The app of that name."""
        uid = self._by_name.get(name)
        return self._records.get(uid) if uid is not None else None

    def record(self, uid: str) -> AppRecord | None:
        """The app of that identity."""
        return self._records.get(uid)

    def app_by_host(self, host: str) -> str | None:
        """The name of the app with that custom domain."""
        return self._by_host.get(normal_host(host))

    @property
    def records(self) -> list[AppRecord]:
        """All records, also those out of sight that are still being taken down."""
        return list(self._records.values())

    @property
    def listed(self) -> list[AppRecord]:
        """The apps people see."""
        return [record for record in self._records.values() if not hidden(record)]

    def _index(self) -> None:
        shown = self.listed
        self._by_name = {record.name: record.uid for record in shown}
        self._by_host = {normal_host(record.cname): record.name for record in shown if record.cname}

    # -- rows

    def put_row(self, row: StatusRow) -> bool:
        """Takes over a row; False when it is not newer than the one known from that instance."""
        rows = self._rows.setdefault(row.uid, {})
        key = row.environment, row.instance
        known = rows.get(key)
        if known is not None and known.sequence >= row.sequence:
            return False
        rows[key] = row
        self.touch(row.uid)
        return True

    def row(self, uid: str, environment: str, instance: str) -> StatusRow | None:
        """The newest row of one instance."""
        return self._rows.get(uid, {}).get((environment, instance))

    def drop_rows(self, environment: str, instance: str, uid: str | None = None) -> None:
        """Forgets what an instance said, about one app or all."""
        for each in [uid] if uid is not None else list(self._rows):
            if self._rows.get(each, {}).pop((environment, instance), None) is not None:
                self.touch(each)

    def rows(self, uid: str) -> list[StatusRow]:
        """The rows of one app from instances that are alive."""
        return [row for row in self._rows.get(uid, {}).values() if self._live(row)]

    def gone(self, uid: str, generation: int) -> set[str]:
        """The environments whose every instance has said that nothing of the app is left there."""
        rows = self.rows(uid)
        left = {row.environment for row in rows if not row.removed or row.generation < generation}
        return {row.environment for row in rows} - left

    def _live(self, row: StatusRow) -> bool:
        view = self.environments.get(row.environment)
        return view is not None and view.live(row.instance)

    # -- what follows

    def placement(self, record: AppRecord, environment: str) -> Placement:
        """How the app is doing in one of its environments."""
        record = record.at(environment)
        view = self.environments.get(environment)
        if view is None or not view.available:
            reason = offline(environment, view)
            if record.desired == "removed":
                remedy = (
                    "The app is removed there once it is back; deleting with force does not wait for that."
                )
                reason = replace(reason, remedy=remedy)
            return Placement(environment=environment, status="unknown", reason=reason)
        rows = [row for row in self.rows(record.uid) if row.environment == environment]
        rows.sort(key=lambda row: (_rank(_status(record, row)), row.updated))
        row = rows[-1] if rows else None
        status = _status(record, row) if row is not None else _expected(record)
        cause = next((each.reason for each in reversed(rows) if each.reason is not None), None)
        if cause is None and status in TRANSITIONAL:
            cause = view.reason if view.reason is not None else _overdue(record, environment, row)
        return Placement(environment=environment, status=status, row=row, reason=cause)

    def placements(self, record: AppRecord) -> list[Placement]:
        """How the app is doing in each of its environments, in their order."""
        return [self.placement(record, environment) for environment in record.environments]


def hidden(record: AppRecord) -> bool:
    """True for an app that people have done with, though an absent environment does not know yet."""
    return record.desired == "removed" and record.dropped


def overall(placements: list[Placement]) -> Status:
    """One status for all environments: what needs attention first, and running only if nothing does."""
    statuses = {placement.status for placement in placements}
    if len(statuses) == 1:
        return statuses.pop()
    order: tuple[Status, ...] = ("error", "commanding", "initializing", "preparing", "running")
    for status in (*order, "initialized", "stopped"):
        if status in statuses:
            return status
    return "unknown"


def _status(record: AppRecord, row: StatusRow) -> Status:
    """The row's status, or what is on its way when the row was written before the last instruction."""
    if row.generation >= record.goal_generation:
        return row.status
    if row.status in TRANSITIONAL:
        return row.status
    if record.desired == "ready" and row.status == "running" and row.restarts == record.restarts:
        return "running"
    # Even a row that looks like the goal was written for an older one: with orders that cross, the
    # environment may be about to carry out one in between, so only its answer to the last one counts.
    if record.desired == "stopped" or row.status == "running":
        return "commanding"
    return _expected(record)


def _rank(status: Status) -> int:
    """Which of its instances speaks for an environment: one that answers, else one that still has to do
    something, else one that failed."""
    return 3 if status == "running" else 2 if status in TRANSITIONAL else 1 if status == "error" else 0


def _expected(record: AppRecord) -> Status:
    """What an environment that has not said anything yet is about to do."""
    if record.desired == "removed":
        return "commanding"
    if record.desired == "stopped":
        return "stopped" if record.installed else "commanding"
    return "initialized" if record.desired == "ready" and record.installed else "preparing"


def _overdue(record: AppRecord, environment: str, row: StatusRow | None) -> Reason | None:
    """Why something that should be over by now is not; None while it is in time."""
    now = datetime.now(UTC)
    if row is not None and row.generation >= record.goal_generation:
        if row.deadline is None or now < row.deadline + _TOLERANCE:
            return None
        return Reason(
            code="APP_STEP_OVERDUE",
            message=f"Step {row.step!r} in {environment!r} should have ended by {row.deadline:%H:%M} UTC.",
            remedy="Restart the app; if that does not help, restart the environment.",
        )
    asked = record.operation.at if record.operation is not None else record.updated_at
    if now < asked + _TOLERANCE:
        return None
    return Reason(
        code="COMMAND_NOT_APPLIED",
        message=f"{environment!r} has not acted on what was asked for {asked:%Y-%m-%d %H:%M:%S} UTC.",
        remedy="It does so as soon as it can read commands; look into its log and at its Redis connection.",
    )


def offline(environment: str, view: EnvironmentView | None) -> Reason:
    """Why an environment is not available, and what to do."""
    if view is None:
        return Reason(
            code="ENVIRONMENT_UNKNOWN",
            message=f"The environment {environment!r} never announced itself to this Supervisor.",
            remedy="Start it, or place the app in another environment.",
        )
    if view.reason is not None:
        return view.reason
    at = f" {view.last_seen:%Y-%m-%d %H:%M:%S} UTC" if view.last_seen is not None else ""
    return Reason(
        code="ENVIRONMENT_UNAVAILABLE",
        message=f"The environment {environment!r} was stopped{at}."
        if view.left
        else f"The environment {environment!r} gives no sign of life{' since' if at else ''}{at}.",
        remedy="Start the environment again; its apps then return by themselves.",
    )

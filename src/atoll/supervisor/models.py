"""What Supervisor and environments say to each other about apps. Source of the wire names: http-api.md 10."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal, TypeAlias

from msgspec import Struct, field

ConnectionKind: TypeAlias = Literal["new_database", "new_schema", "new_connection"]
Desired: TypeAlias = Literal["running", "stopped", "ready", "removed"]
Status: TypeAlias = Literal[
    "preparing", "initializing", "initialized", "running", "commanding", "stopped", "error", "unknown"
]
StepState: TypeAlias = Literal["waiting", "running", "done", "failed"]
Action: TypeAlias = Literal[
    "create", "update", "start", "stop", "restart", "destroy", "visit", "move", "rotate"
]

#: Statuses that end by themselves; each such row carries a deadline.
TRANSITIONAL: frozenset[Status] = frozenset({"preparing", "initializing", "commanding"})
#: Steps an app goes through until it answers, in order.
STEPS = ("record", "database", "tables", "administrator", "template", "start")


class Finding(Struct, frozen=True, kw_only=True, rename="camel"):
    """One reason why something cannot be done, and what to do about it.

    Args:
        field: which input it is about ("name", "environments", "options.database.host"), "" for none.
    """

    code: str
    message: str
    remedy: str = ""
    field: str = ""


class AdminAccount(Struct, frozen=True, kw_only=True, rename="camel"):
    """The first account of a new app. Exactly one of `password` and `password_hash` is given."""

    username: str
    email: str = ""
    nickname: str = ""
    password: str | None = None
    password_hash: str | None = None

    def __repr__(self) -> str:
        return f"AdminAccount({self.username!r})"


class DatabaseOptions(Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """Where an app's data lives. What is absent comes from the environment's own database settings."""

    dialect: str | None = None
    host: str | None = None
    port: int | None = None
    database: str | None = None
    username: str | None = None
    password: str | None = None
    schema: str | None = None
    table_prefix: str | None = None

    def __repr__(self) -> str:
        return f"DatabaseOptions({self.dialect!r}, {self.host!r}, {self.database!r}, schema={self.schema!r})"


DRAIN = "drain"
"""The key of the order to drain among the models of an environment; it is there for as long as it holds."""


class AppModel(Struct, frozen=True, kw_only=True, rename="camel"):
    """What an environment is told about one app: all it needs to bring the app to the desired state.

    Args:
        uid: identity of this creation of the app. A later app of the same name has another one. Databases
            made for the app carry it as owner marker.
        secret: hex, signs the app's tokens. storage_secret: hex, encrypts what the app keeps secret in its
            database; "" for the same as `secret`.
        generation: grows with every change of the model; an older one is never acted on.
        goal_generation: the generation at which what should be the case (not only a name) last changed.
        settings_version: grows with changes that only a restart brings into effect.
        restarts: grows with every asked-for restart.
        installed: the app was installed once; starting may begin with the start itself.
        admin: the first account, only until the app is installed.
        drop_database: with desired "removed": this environment also removes the app's database.
        options: the app's other options as they came, without secrets.
    """

    uid: str
    name: str
    display_name: str
    desired: Desired
    generation: int
    secret: str
    storage_secret: str = ""
    connection: ConnectionKind = "new_database"
    database: DatabaseOptions = DatabaseOptions()
    environments: tuple[str, ...] = ()
    icon: str | None = None
    cname: str | None = None
    goal_generation: int = 0
    settings_version: int = 0
    restarts: int = 0
    installed: bool = False
    admin: AdminAccount | None = None
    drop_database: bool = False
    options: dict[str, Any] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"AppModel({self.name!r}, uid={self.uid!r}, {self.desired!r}, generation={self.generation})"


class Step(Struct, kw_only=True, rename="camel"):
    """How far one step is. `at` is when its state last changed."""

    name: str
    state: StepState = "waiting"
    at: datetime | None = None
    message: str = ""


class Reason(Struct, frozen=True, kw_only=True, rename="camel"):
    """Why something is as it is, and what to do."""

    code: str
    message: str
    remedy: str = ""


class StatusRow(Struct, frozen=True, kw_only=True, rename="camel"):
    """What one instance of one environment says about one app; nobody else writes it.

    Args:
        sequence: grows with every row the instance writes, so that an older one never replaces a newer one.
        generation: the newest generation of the model that the instance has acted on.
        since: when `status` began, `updated` when the row was written, by the environment's clock.
        deadline: when a transitional status ends at the latest.
        queued_since: waiting for its turn since then.
        attempts: failed tries in a row.
        settings_version: with which version of its settings the app runs.
        removed: nothing of the app is left in this environment.
    """

    app: str
    uid: str
    environment: str
    instance: str
    sequence: int
    generation: int
    status: Status
    since: datetime
    updated: datetime
    step: str = ""
    steps: tuple[Step, ...] = ()
    message: str = ""
    reason: Reason | None = None
    deadline: datetime | None = None
    queued_since: datetime | None = None
    attempts: int = 0
    version: str = ""
    settings_version: int = 0
    restarts: int = 0
    installed: bool = False
    removed: bool = False
    database_dropped: bool = False


class EnvironmentCard(Struct, frozen=True, kw_only=True, rename="camel"):
    """How one instance of an environment introduces itself.

    Args:
        url: where people reach it. proxy_url: where the Supervisor's proxy reaches it.
        public_key: its signing and sealing keys (`identity.PublicKey`).
        instance: identity of this process; another one after each start.
        host, pid, started: which process it is, so that a successor on the same machine can tell it is gone.
    """

    name: str
    url: str
    proxy_url: str
    app_version: str
    public_key: str
    instance: str
    host: str = ""
    pid: int = 0
    started: float = 0.0
    since: datetime | None = None

    def same_place(self, other: EnvironmentCard) -> bool:
        """True when both are reached at the same address, as instances of one environment are."""
        return (self.url, self.proxy_url) == (other.url, other.proxy_url)


class InstanceState(Struct, frozen=True, kw_only=True, rename="camel"):
    """What is known of one instance.

    Args:
        lag: how late its event loop last ran, in seconds.
        cpu, memory, machine_memory: see `presence.base.Vitals`; None when it does not say.
    """

    card: EnvironmentCard
    alive: bool
    lag: float = 0.0
    last_seen: datetime | None = None
    last_heartbeat: datetime | None = None
    cpu: float | None = None
    memory: int | None = None
    machine_memory: int | None = None


class CallerAccount(Struct, frozen=True, kw_only=True):
    """The person who asks, as far as needed to copy the account into a new app."""

    username: str
    email: str = ""
    nickname: str = ""
    password_hash: str = ""

"""The contract of asynchronous tasks: work of a person that takes longer than a request may.

A kind of task is a `TaskType`, which a plugin adds to `Application.tasks`. The plugin `async-tasks` keeps the
tasks in the app's database, gives them to instances that serve `async-task:process`, and has the API.

Promised to a type: `run` is called at least once for a task, on one instance or after another, until it
returned or the task was stopped. What was committed with `TaskRun.step` is known to the next call (`cursor`),
and nobody but the latest caller can commit: one whose process was paused or cut off gets `TaskLost` at its
next step, and that step is undone. So work that is done inside steps happens exactly once.

Not promised: that work outside of steps is not done twice; that `folder` is there again on another instance,
unless the app's storage is shared.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from atoll.application.collections.model import Collection
from atoll.application.context import Context, CurrentUser
from atoll.application.records.filter import Caller
from atoll.database.drivers.base import Connection
from atoll.errors import BadRequest

if TYPE_CHECKING:
    from atoll.application.app import Application


class TaskLost(Exception):
    """The task does not belong to this run any more: leave at once, without cleaning up what others use."""


@dataclass(frozen=True, slots=True)
class NewTask:
    """A task that a person may start.

    Attributes:
        title: what the person sees.
        params: what `run` needs, as JSON; visible to the person.
        origin: the collection it is about.
        total: units of work, when they are known.
    """

    title: str
    params: Mapping[str, Any]
    origin: str = ""
    total: int | None = None


@dataclass(frozen=True, slots=True)
class TaskFile:
    """A file that a task leaves: `path` is in the task's folder, people save it under `name`."""

    path: Path
    name: str


@dataclass(frozen=True, slots=True)
class TaskResult:
    """How a task ended: `summary` is shown to the person; the file can be fetched."""

    summary: Mapping[str, Any]
    file: TaskFile | None = None


@dataclass(slots=True)
class Step:
    """One transaction of a run. Set `cursor` to what the next step, of whatever run, is to begin with."""

    connection: Connection
    cursor: Any


class TaskRun(ABC):
    """One try of one task.

    Attributes:
        id, params: the task's.
        cursor: what the last step said, of whatever run; None at the beginning.
        folder: the task's own folder; it is there.
        caller, user, role: whose task it is, as for a request.
    """

    app: Application
    id: str
    params: Mapping[str, Any]
    cursor: Any
    folder: Path
    caller: Caller
    user: CurrentUser
    role: str

    @abstractmethod
    def step(self, current: int) -> AbstractAsyncContextManager[Step]:
        """A transaction that commits work together with how far it has come; raises TaskLost.

        It begins with a lock on the task: whoever does not own it any more is sent away before writing.

        Args:
            current: units of work done after this step.
        """

    @abstractmethod
    async def progress(self, current: int, total: int | None = None) -> None:
        """Says how far it has come; raises TaskLost."""

    def need(self, collection: Collection, action: str) -> None:
        """Raises Forbidden unless the person may do this."""
        self.caller.rights.need(collection, action)


class TaskType(ABC):
    """A kind of task. `name` is what the API calls it; one object serves all tasks of an app."""

    name: str

    @abstractmethod
    async def prepare(self, ctx: Context, params: Mapping[str, Any]) -> NewTask:
        """Checks what a person asks for, and the person's rights; raises AtollError."""

    @abstractmethod
    async def run(self, run: TaskRun) -> TaskResult:
        """Does the work. An AtollError with a status below 500 fails the task with its text."""

    @abstractmethod
    async def ended(self, app: Application, task: str, connection: Connection) -> None:
        """Removes what the type keeps in the database; in the transaction that ends the task, however."""


class TaskTypes:
    """The kinds of tasks of one app."""

    def __init__(self) -> None:
        self._types: dict[str, TaskType] = {}

    def add(self, kind: TaskType) -> None:
        """Adds a type; one of the same name is replaced."""
        self._types[kind.name] = kind

    def __contains__(self, name: object) -> bool:
        return name in self._types

    def get(self, name: Any) -> TaskType:
        """The type of that name; raises BadRequest."""
        found = self._types.get(name) if isinstance(name, str) else None
        if found is None:
            raise BadRequest(f"There is no kind of task {name!r}; known: {', '.join(sorted(self._types))}")
        return found


def own_collection(app: Application, name: Any) -> Collection:
    """A collection that people made; raises BadRequest."""
    found = app.collections.own().get(name) if isinstance(name, str) else None
    if found is None:
        raise BadRequest(f"Collection {name!r} does not exist")
    return found

"""What commands and their answers say, before they are sealed."""

from __future__ import annotations

from typing import TypeAlias

from msgspec import Struct

from atoll.logs.reading import LogQuery
from atoll.supervisor.models import AppModel, Finding


class Apply(Struct, frozen=True, tag="apply"):
    """Bring the app to what the model says. Settled when it is there, or the first try failed."""

    model: AppModel


class Check(Struct, frozen=True, tag="check"):
    """Say what stands against creating this app. Answered with a `Checked`."""

    model: AppModel


class Refresh(Struct, frozen=True, tag="refresh"):
    """Look at the copies of the models now instead of at the next turn."""


class ReadLogs(Struct, frozen=True, tag="logs"):
    """Look something up in the log files. Answered with a `LogPage`."""

    query: LogQuery


class Checked(Struct, frozen=True):
    """The answer to `Check`: empty findings mean that nothing stands against it."""

    findings: tuple[Finding, ...]
    database_identity: str


Instruction: TypeAlias = Apply | Check | Refresh | ReadLogs

"""The exit codes of the command line; scripts may rely on them."""

from __future__ import annotations

from enum import IntEnum
from typing import Self

from atoll.errors import (
    AtollError,
    PortTaken,
    SchemaTooNew,
    SchemaUpgradeBlocked,
    SchemaUpgradeNeeded,
    SettingsError,
)


class ExitCode(IntEnum):
    """What the number that a command ends with means."""

    OK = 0, "Done."
    FAILED = 1, "An error that has no code of its own; the text says which."
    USAGE = 2, "The command line was not understood."
    UNHEALTHY = 3, "`atoll doctor` found something that needs attention."
    NOT_FOUND = 4, "The named app or environment does not exist."
    REFUSED = 5, "The server understood the request and refused it; its error code is printed."
    UNREACHABLE = 6, "No Supervisor answers at the address."
    NOT_ALLOWED = 7, "The token is missing, expired or lacks the right."
    TIMED_OUT = 8, "What was waited for did not happen in time; it may still happen."
    ALREADY_RUNNING = 9, "Another `atoll up` uses the same storage folder."
    PORT_TAKEN = 10, "Another program listens on the port."
    PROGRAM_MISSING = 11, "A program that is needed is not on this machine."
    CHILD_FAILED = (
        12,
        "A process of `atoll up` or of `CLUSTER_MODE` ended before it was ready, or again and again.",
    )
    SCHEMA_MISMATCH = 13, "The database belongs to a newer version, or an upgrade of it is not possible now."
    BAD_SETTINGS = 78, "A setting is wrong; each problem is printed on a line of its own."

    meaning: str

    def __new__(cls, number: int, meaning: str) -> Self:
        """A code that knows its meaning."""
        member = int.__new__(cls, number)
        member._value_ = number
        member.meaning = meaning
        return member


class CommandFailed(Exception):
    """Ends a command with a text for the person and a code for the script.

    Args:
        code: what the process ends with.
        message: what happened and what to do.
        reason: the stable error code when a server gave one, else the name of `code`.
    """

    def __init__(self, code: ExitCode, message: str, *, reason: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.reason = reason or code.name


def exit_code(error: AtollError) -> ExitCode:
    """The exit code for an error of the tree."""
    known: dict[type[AtollError], ExitCode] = {
        SettingsError: ExitCode.BAD_SETTINGS,
        PortTaken: ExitCode.PORT_TAKEN,
        SchemaTooNew: ExitCode.SCHEMA_MISMATCH,
        SchemaUpgradeBlocked: ExitCode.SCHEMA_MISMATCH,
        SchemaUpgradeNeeded: ExitCode.SCHEMA_MISMATCH,
    }
    return next((code for kind, code in known.items() if isinstance(error, kind)), ExitCode.FAILED)

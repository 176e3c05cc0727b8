"""What `atoll up` leaves in its storage folder while it runs: a lock, and a record of what runs where."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from atoll.cli.exits import CommandFailed, ExitCode

RECORD = "up.json"
LOCK = "up.lock"


class Member(msgspec.Struct):
    """One process: its name, address and process id (0 while it is being restarted)."""

    name: str
    url: str
    pid: int


class UpRecord(msgspec.Struct):
    """What runs: the Supervisor, its environments, and the process that looks after them."""

    pid: int
    supervisor: Member
    environments: list[Member]


@contextmanager
def exclusive(storage: Path) -> Iterator[None]:
    """Holds the storage folder for this process; the kernel lets go of it when the process ends in any way.

    Raises:
        CommandFailed: ALREADY_RUNNING when another process has it.
    """
    try:
        storage.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(storage / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise CommandFailed(
            ExitCode.FAILED,
            f"the storage folder {storage} cannot be used ({error.strerror}); choose another with --storage",
        ) from error
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CommandFailed(ExitCode.ALREADY_RUNNING, _already_running(storage)) from None
        yield
    finally:
        os.close(descriptor)


def _already_running(storage: Path) -> str:
    running = read(storage)
    where = f" (process {running.pid}, {running.supervisor.url})" if running else ""
    return (
        f"Atoll already runs on {storage}{where}. Use that one, stop it with Ctrl-C, or give "
        "this one a folder of its own: atoll up --storage FOLDER --port PORT"
    )


def write(storage: Path, record: UpRecord) -> None:
    """Replaces the record in one step."""
    draft = storage / f".{RECORD}.{os.getpid()}"
    draft.write_bytes(msgspec.json.format(msgspec.json.encode(record)) + b"\n")
    draft.replace(storage / RECORD)


def read(storage: Path) -> UpRecord | None:
    """The record, None when nothing runs there or an earlier run was killed."""
    try:
        record = msgspec.json.decode((storage / RECORD).read_bytes(), type=UpRecord)
    except (OSError, msgspec.DecodeError):
        return None
    return record if _alive(record.pid) else None


def was_killed(storage: Path) -> bool:
    """Whether an earlier run left its record behind; asked while the folder is held by `exclusive`."""
    return (storage / RECORD).exists()


def remove(storage: Path) -> None:
    """Forgets the record."""
    (storage / RECORD).unlink(missing_ok=True)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True

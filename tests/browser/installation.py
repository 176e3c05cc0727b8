"""`atoll up` as a process, with or without its sample apps."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from atoll.testing.client import Account, AtollClient
from atoll.testing.processes import ServerProcess, closing, eventually

ACCOUNT = Account("admin", "password-of-the-browser-test")


@dataclass(frozen=True)
class Installation:
    """What a person has after `atoll up`."""

    url: str
    process: ServerProcess

    def client(self) -> AtollClient:
        """A client of the entry point, not signed in."""
        return AtollClient(self.url)


@contextlib.asynccontextmanager
async def running(
    folder: Path, options: Sequence[str] = (), *, within: float = 60, first_run: bool = False
) -> AsyncIterator[Installation]:
    """Starts it and waits for the line with the address.

    Args:
        first_run: leave the wizard of a fresh server to be met; otherwise it is marked as done.
    """
    process = ServerProcess(
        "up",
        folder,
        {"INIT_ROOT_USERNAME": ACCOUNT.username, "INIT_ROOT_PASSWORD": ACCOUNT.password},
    )
    process.command = (sys.executable, "-m", "atoll", "up", "--port", str(process.port), *options)
    async with closing(process):
        process.spawn()

        async def shown() -> bool:
            assert process.running, process.log()
            return "sign in as" in process.log()

        await eventually(shown, within=within, what="atoll up shows the address", every=0.2)
        await process.until_ready()
        made = Installation(process.url, process)
        if not first_run:
            async with made.client() as client:
                await client.sign_in(ACCOUNT)
                await client.call("systemSettings:put", {"options": {"setup": "done"}})
        yield made

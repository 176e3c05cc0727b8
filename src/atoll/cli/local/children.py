"""Child processes of `atoll up`: started, listened to, restarted when they die, stopped in order."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

GUARD = Path(__file__).with_name("guard.py")
FIRST_PAUSE = 1.0
LONGEST_PAUSE = 30.0
# A child that ran this long was healthy: the next restart is quick again.
HEALTHY_SECONDS = 60.0
LINE_LIMIT = 1 << 20

Say = Callable[[str, str], None]
"""Shows one line: the child's name, the text."""


@dataclass
class Child:
    """One program that should run.

    Args:
        name: shown in front of its output.
        command: program and arguments.
        variables: its whole environment.
        stdin: given to it at each start.
        say: gets its output line by line, and what happens to it.
        changed: called when its process id changed.
    """

    name: str
    command: Sequence[str]
    variables: Mapping[str, str]
    say: Say
    changed: Callable[[], None]
    stdin: bytes = b""
    pid: int = 0
    exit_code: int | None = None
    _process: asyncio.subprocess.Process | None = None
    _stopping: bool = False
    _ended: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self, *, restart: Callable[[], bool]) -> None:
        """Runs the program until `stop`; when it ends by itself, `restart` says whether to start it again."""
        clock = asyncio.get_running_loop().time
        pause = FIRST_PAUSE
        while not self._stopping:
            began = clock()
            await self._once()
            if self._stopping or not restart():
                return
            if clock() - began > HEALTHY_SECONDS:
                pause = FIRST_PAUSE
            self.say(self.name, f"ended {self.outcome()}; starting it again in {pause:g} s")
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)

    def outcome(self) -> str:
        """How it ended, in words."""
        code = self.exit_code
        if code is not None and code < 0:
            return f"by signal {signal.Signals(-code).name}"
        return f"with code {code}"

    async def stop(self, limit: float) -> None:
        """Asks it to end, and kills it after `limit` seconds. Never started or already gone is fine."""
        self._stopping = True
        process = self._process
        if process is None or process.returncode is not None:
            return
        process.terminate()
        try:
            await asyncio.wait_for(self._ended.wait(), limit)
        except TimeoutError:
            self.say(self.name, f"did not stop within {limit:g} s and is killed")
            process.kill()
            await self._ended.wait()

    def kill(self) -> None:
        """Ends it now."""
        self._stopping = True
        if self._process is not None and self._process.returncode is None:
            self._process.kill()

    async def _once(self) -> None:
        self._ended.clear()
        stdin = _pipe_with(self.stdin)
        try:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-I",
                "-S",
                str(GUARD),
                str(os.getpid()),
                *self.command,
                env=dict(self.variables),
                stdin=stdin,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
                limit=LINE_LIMIT,
                # Ctrl-C in the terminal must reach only `atoll up`, which then stops its children in order.
                start_new_session=True,
            )
        finally:
            os.close(stdin)
        self._process = process
        if self._stopping:  # `stop` came while the process was being made and did not see it
            process.kill()
        self.pid = process.pid
        self.changed()
        try:
            await self._listen(process)
            self.exit_code = await process.wait()
        finally:
            self.pid = 0
            self._ended.set()
            self.changed()

    async def _listen(self, process: asyncio.subprocess.Process) -> None:
        if process.stdout is None:
            return
        while True:
            try:
                line = await process.stdout.readline()
            except ValueError:
                self.say(self.name, f"(a line longer than {LINE_LIMIT} bytes was left out)")
                continue
            if not line:
                return
            self.say(self.name, line.decode(errors="replace").rstrip())


def _pipe_with(content: bytes) -> int:
    """The reading end of a pipe that holds `content`, which must be smaller than a pipe (64 KiB)."""
    reading, writing = os.pipe()
    try:
        os.write(writing, content)
    finally:
        os.close(writing)
    return reading

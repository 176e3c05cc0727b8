"""Starting and stopping: background tasks that are owned, supervised, and gone after `stop`."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from typing import Any

log = logging.getLogger(__name__)

_ASK_AGAIN = 0.5


async def end_tasks(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """Cancels the tasks and waits until all have ended, whatever their outcome.

    Cancels again and again: a library may swallow a cancellation that comes with the answer it waits for, and
    one cancellation would then leave its task running for ever.
    """
    tasks = list(tasks)
    while pending := [task for task in tasks if not task.done()]:
        for task in pending:
            task.cancel()
        await asyncio.wait(pending, timeout=_ASK_AGAIN)


class BackgroundTasks:
    """The background tasks of one owner.

    A task started with `spawn` is logged when it fails. A loop started with `keep_running` is started again
    with a growing pause when it fails or returns, until `cancel_all`. Nothing outlives `cancel_all`.
    """

    def __init__(self, owner: str) -> None:
        self._owner = owner
        self._tasks: set[asyncio.Task[Any]] = set()

    def __len__(self) -> int:
        return len(self._tasks)

    def spawn(self, name: str, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Runs `work` once in the background."""
        task = asyncio.create_task(work, name=f"{self._owner}:{name}")
        self._tasks.add(task)
        task.add_done_callback(self._finished)
        return task

    def keep_running(
        self, name: str, loop: Callable[[], Awaitable[None]], *, pause: float = 0.2, longest: float = 5.0
    ) -> asyncio.Task[Any]:
        """Runs `loop` for as long as the owner lives; a failure is logged and it starts again.

        Args:
            pause: seconds before the first restart; doubles with each failure in a row up to `longest`.
        """

        async def forever() -> None:
            wait = pause
            while True:
                try:
                    await loop()
                    wait = pause
                except Exception:
                    log.exception(
                        "background loop failed and starts again", extra={"task": name, "owner": self._owner}
                    )
                    wait = min(wait * 2, longest)
                await asyncio.sleep(wait)

        return self.spawn(name, forever())

    async def cancel_all(self) -> None:
        """Cancels every task and waits until all have ended."""
        tasks = [task for task in self._tasks if task is not asyncio.current_task()]
        await end_tasks(tasks)
        self._tasks.difference_update(tasks)

    def _finished(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error(
                "background task failed",
                exc_info=error,
                extra={"task": task.get_name(), "owner": self._owner},
            )

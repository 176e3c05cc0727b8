"""Background services of an app: who serves which queue, and the alarm when nobody does."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from atoll.cluster.queue import Consumer, Process, Queue
from atoll.errors import QueueUnavailable
from atoll.lifecycle import BackgroundTasks
from atoll.worker_mode import WorkerMode

log = logging.getLogger(__name__)
LOOK_SECONDS = 15.0
PATIENCE = 10.0


class Services:
    """Consumers of the channels that this instance serves, and watch over all channels of the app.

    Args:
        app: the app's name, for log lines.
        look_every: seconds between two looks at the channels.
    """

    def __init__(self, app: str, queue: Queue, mode: WorkerMode, *, look_every: float = LOOK_SECONDS) -> None:
        self._app = app
        self._queue = queue
        self._mode = mode
        self._look_every = look_every
        self._keys: dict[str, str] = {}
        self._consumers: list[Consumer] = []
        self._alarms: dict[str, str] = {}
        self._tasks = BackgroundTasks(f"services:{app}")

    @property
    def alarms(self) -> dict[str, str]:
        """Channels that nobody serves though items wait, with the reason for people."""
        return dict(self._alarms)

    @property
    def channels(self) -> dict[str, str]:
        """The watched channels and their service keys."""
        return dict(self._keys)

    def serving(self, key: str) -> bool:
        """Whether this instance does the work of that service key."""
        return self._mode.serving(key)

    async def serve(
        self,
        key: str,
        channel: str,
        process: Process,
        *,
        idle: Callable[[], bool] | None = None,
        concurrency: int = 1,
        slots: asyncio.Semaphore | None = None,
    ) -> None:
        """Takes items of the channel until `stop`, unless another kind of instance is to do so.

        Either way the channel is watched from now on, by each instance.
        """
        if not self._keys:
            _ = self._tasks.keep_running("look", self._look_for_ever)
        self._keys[channel] = key
        if self._mode.serving(key):
            self._consumers.append(
                await self._queue.subscribe(channel, process, idle=idle, concurrency=concurrency, slots=slots)
            )

    async def reason(self, channel: str) -> str | None:
        """Why items of a channel wait, for people; None while somebody is there to take them."""
        if (await self._queue.status(channel)).consumers:
            return None
        key = self._keys.get(channel)
        if key is None:
            return f"No running instance serves {channel}. It is served by a plugin that is not active here."
        return (
            f"No running instance serves {key}. Start one whose WORKER_MODE is empty, is * or names {key}; "
            "then the work is done, nothing is lost."
        )

    async def stop(self, patience: float = PATIENCE) -> None:
        """Closes the consumers; what they have not finished in time is handed back. Idempotent."""
        await self._tasks.cancel_all()
        consumers, self._consumers = self._consumers, []
        await asyncio.gather(*(consumer.close(patience) for consumer in consumers))
        self._keys.clear()
        self._alarms.clear()

    async def look(self) -> None:
        """Raises alarms, each once, and ends them."""
        for channel in tuple(self._keys):
            status = await self._queue.status(channel)
            if not status.unserved:
                if self._alarms.pop(channel, None) is not None:
                    log.info("somebody serves the queue again", extra={"app": self._app, "channel": channel})
            elif channel not in self._alarms:
                reason = await self.reason(channel)
                if reason is not None:
                    self._alarms[channel] = reason
                    log.error(
                        "items wait and nobody serves their queue",
                        extra={
                            "app": self._app,
                            "channel": channel,
                            "waiting": status.depth,
                            "reason": reason,
                        },
                    )

    async def _look_for_ever(self) -> None:
        while True:
            await asyncio.sleep(self._look_every)
            try:
                await self.look()
            except QueueUnavailable as error:
                log.warning("the queue cannot be looked at now", extra={"reason": error.message})

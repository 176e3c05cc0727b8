"""The thread that keeps an instance alive in Redis, whatever its event loop is doing."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
import threading
import time
from typing import TYPE_CHECKING

import msgspec
import psutil
import redis

from atoll.errors import EnvironmentNameTaken, RedisUnavailable
from atoll.lifecycle import BackgroundTasks
from atoll.supervisor.models import EnvironmentCard
from atoll.supervisor.presence import scripts
from atoll.supervisor.presence.base import name_taken, place
from atoll.supervisor.presence.vitals import measure
from atoll.supervisor.sealing import Message

if TYPE_CHECKING:
    from atoll.supervisor.presence.redis import RedisPresence

log = logging.getLogger(__name__)

#: Renewals per lease time: two may fail before the lease ends.
_RENEWALS = 4
_PAUSE_AFTER_FAILURE = 0.25
_WATCH_SECONDS = 1.0


class LeaseKeeper:
    """Renews one lease from a thread with a connection of its own, and announces again what got lost.

    The thread is watched by the event loop: should it end, another one is started. The event loop is
    watched by the thread: how late it is goes out with each renewal.

    Args:
        gone: instances of the same environment whose processes are known to have ended.
    """

    def __init__(
        self, presence: RedisPresence, card: EnvironmentCard, signed: bytes, gone: list[str]
    ) -> None:
        self.card = card
        self.problem = ""
        self.restarts = 0
        self._presence, self._signed, self._gone = presence, signed, gone
        self._interval = presence.lease_seconds / _RENEWALS
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None
        self._tasks = BackgroundTasks("lease")
        self._loop = asyncio.get_running_loop()
        self._asked: float | None = None
        self._late = 0.0
        self._client: redis.Redis | None = None
        self._process = psutil.Process()

    async def start(self) -> None:
        """Announces the instance; raises EnvironmentNameTaken or RedisUnavailable, and then does nothing
        more.
        """
        try:
            await asyncio.to_thread(self._renew)
        except redis.RedisError as error:
            self._close()
            raise RedisUnavailable(
                f"Redis at {self._presence.connection.address} does not answer. Check that it runs.",
                detail=repr(error),
            ) from error
        except EnvironmentNameTaken:
            self._close()
            raise
        self._begin()
        _ = self._tasks.keep_running("watch", self._watch)

    async def stop(self) -> None:
        """Ends thread and connection. Idempotent."""
        await self._tasks.cancel_all()
        self._ended.set()
        if self._thread is not None:
            await asyncio.to_thread(self._thread.join, 10.0)
        self._close()

    def _begin(self) -> None:
        self._thread = threading.Thread(target=self._keep, name=f"lease:{self.card.name}", daemon=True)
        self._thread.start()

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(_WATCH_SECONDS)
            if self._thread is None or not self._thread.is_alive():
                self.restarts += 1
                log.error(
                    "the thread that keeps the lease has ended and starts again",
                    extra={"times": self.restarts},
                )
                self._begin()

    # -- in the thread

    def _keep(self) -> None:
        wait, failing = self._interval, False
        while not self._ended.wait(wait):
            try:
                self._renew()
                wait = self._interval
                if failing:
                    log.info("the lease is renewed again")
                failing = False
            except (redis.RedisError, OSError) as error:
                if not failing:
                    log.warning("the lease cannot be renewed now", extra={"reason": type(error).__name__})
                wait, failing = min(_PAUSE_AFTER_FAILURE, self._interval), True
            except EnvironmentNameTaken as error:
                log.error("the lease was taken over", extra={"reason": error.message})
                wait, failing = self._interval, True

    def _renew(self) -> None:
        if self._client is None:
            self._client = self._presence.connection.sync_client()
        key = self._presence.key
        answer = self._client.eval(
            scripts.RENEW,
            3,
            key("leases"),
            key("events"),
            key("epoch"),
            self.card.name,
            self.card.instance,
            place(self.card),
            self._signed,
            str(int(self._presence.lease_seconds * 1000)),
            f"{self._lag():.3f}",
            self.problem,
            str(int(self._presence.heartbeat_seconds * 1000)),
            secrets.token_hex(8),
            key("instance", ""),
            msgspec.json.encode(measure(self._process)),
            *self._gone,
        )
        self._gone = []
        granted, text = answer
        if not granted:
            raise name_taken(self.card, text.decode())

    def _lag(self) -> float:
        """How late the event loop is: how long it took to answer when asked last, or has not answered yet."""
        now, asked = time.monotonic(), self._asked
        if asked is not None:
            return now - asked
        self._asked = now
        with contextlib.suppress(RuntimeError):  # the loop is closed: the process is about to end
            _ = self._loop.call_soon_threadsafe(self._answer)
        return self._late

    def _answer(self) -> None:
        if self._asked is not None:
            self._late = time.monotonic() - self._asked
            self._asked = None

    def _close(self) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None


def process_lives(card: EnvironmentCard) -> bool:
    """Whether the process that announced itself on this machine still runs."""
    try:
        return abs(psutil.Process(card.pid).create_time() - card.started) < 1.0
    except psutil.NoSuchProcess:
        return False


def shown_card(signed: bytes) -> EnvironmentCard | None:
    """What a card says, unchecked; None when it says nothing readable."""
    try:
        return msgspec.json.decode(msgspec.msgpack.decode(signed, type=Message).body, type=EnvironmentCard)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None

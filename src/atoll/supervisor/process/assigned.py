"""The apps of an environment, kept in line with the models that its Supervisor writes."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping

import msgspec

from atoll.errors import AtollError, RedisUnavailable
from atoll.lifecycle import BackgroundTasks
from atoll.supervisor.models import DRAIN, AppModel
from atoll.supervisor.presence.base import Presence
from atoll.supervisor.process.hosted import Host, HostedApp
from atoll.supervisor.process.model_cache import ModelCache
from atoll.supervisor.process.trust import Trust

log = logging.getLogger(__name__)


class AssignedApps(Mapping[str, HostedApp]):
    """The apps known here by their identity, also those on their way out.

    Models come by command and by looking regularly; either alone would do. Nothing here raises when Redis is
    away: apps stay as they are.

    Args:
        cache: with the copies of models that a start without Redis uses.
        complain: shows a problem of the environment to people.
        tasks: what this does in the background ends with them.
        pull_seconds: how often it compares with the models, pushed or not.
    """

    def __init__(
        self,
        host: Host,
        presence: Presence,
        trust: Trust,
        cache: ModelCache,
        complain: Callable[[str], None],
        tasks: BackgroundTasks,
        pull_seconds: float,
    ) -> None:
        self._host, self._presence, self._trust, self._cache = host, presence, trust, cache
        self._complain, self._tasks, self._pull_seconds = complain, tasks, pull_seconds
        self._apps: dict[str, HostedApp] = {}
        self._epoch = ""
        self._version = ""
        self._look = asyncio.Event()
        self._pulling = asyncio.Lock()
        self._catching_up: asyncio.Task[None] | None = None
        self.informed = False
        """Whether the last comparison with the models succeeded."""
        self.draining = False
        """Whether the Supervisor wants this environment to take no new work."""

    def __getitem__(self, uid: str) -> HostedApp:
        return self._apps[uid]

    def __iter__(self) -> Iterator[str]:
        return iter(self._apps)

    def __len__(self) -> int:
        return len(self._apps)

    def named(self, name: str) -> HostedApp | None:
        """The app of that name, unless it is being removed."""
        for app in self._apps.values():
            if app.model.name == name and app.goal.desired != "removed":
                return app
        return None

    def show_all_again(self) -> None:
        """Publishes all rows once more."""
        for app in self._apps.values():
            app.show_again()

    def apply(self, model: AppModel) -> HostedApp:
        """Takes a model over; an older one than the known one changes nothing."""
        app = self._apps.get(model.uid)
        if app is None:
            app = self._apps[model.uid] = HostedApp(model, self._host)
        app.apply(model)
        self._host.changes.notify()
        return app

    # -- comparing with the models

    async def load(self, *, reachable: bool) -> None:
        """Takes over the models, and the saved copies of those that are not to be had.

        Args:
            reachable: Redis answered a moment ago. Then the models come first: a saved copy may be older than
                the last instruction, and would start once more an app that was stopped just before a crash.
        """
        saved = await self._cache.load()
        if reachable:
            await self._pull_if_possible()
        order = saved.pop(DRAIN, None)
        if not self.informed:
            self._drain(order)
        for sealed in saved.values():
            if self._cache.changed(sealed):
                self._accept(sealed, "the saved copy")

    def look_soon(self) -> None:
        """Compares now instead of at the next turn."""
        self._look.set()

    async def catch_up(self, seconds: float) -> None:
        """Compares with the models before somebody is refused; waits at most so many seconds.

        Many who ask at once share one comparison that began after all of them asked.
        """
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                under_way = self._catching_up
                if under_way is not None and not under_way.done():
                    await asyncio.wait({under_way})
                if self._catching_up is None or self._catching_up.done():
                    self._catching_up = self._tasks.spawn("catch-up", self._pull_if_possible())
                await asyncio.wait({self._catching_up})

    async def keep_pulling(self) -> None:
        """Compares regularly for as long as it runs."""
        away = False
        while True:
            self._look.clear()
            try:
                await self._pull()
                away = False
            except RedisUnavailable as error:
                if not away:
                    log.warning(
                        "what should run cannot be compared now; apps stay as they are",
                        extra={"reason": error.message},
                    )
                away = True
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._pull_seconds):
                    await self._look.wait()

    async def _pull_if_possible(self) -> None:
        with contextlib.suppress(RedisUnavailable):
            await self._pull()

    async def _pull(self) -> None:
        """Compares with the models as the Supervisor last wrote them."""
        async with self._pulling:
            try:
                pull = await self._presence.pull(self._host.name, self._version)
            except AtollError:
                self.informed = False
                raise
            if pull.epoch != self._epoch:
                lost, self._epoch = bool(self._epoch), pull.epoch
                if lost:
                    log.warning("shared state was lost; statuses are published again")
                    self.show_all_again()
            if pull.models is None:
                self.informed = True
                return
            self._drain(pull.models.get(DRAIN))
            for uid, sealed in pull.models.items():
                if uid != DRAIN and self._cache.changed(sealed):
                    self._accept(sealed, "the shared copy")
            self._forget_removed(pull.models.keys())
            self._show_unlisted(pull.models.keys())
            self._version = pull.version
            self.informed = True
            await self._cache.save(pull.models)

    def _forget_removed(self, listed: Iterable[str]) -> None:
        for uid in [uid for uid, app in self._apps.items() if app.removed and uid not in listed]:
            self._host.report(self._apps.pop(uid).row)

    def _show_unlisted(self, listed: Iterable[str]) -> None:
        """An app that nobody tells us of any more goes on: only the Supervisor's word ends it. It sees the
        row, and answers."""
        for app in [app for uid, app in self._apps.items() if uid not in listed and not app.removed]:
            app.show_again()

    def _drain(self, order: bytes | None) -> None:
        """Obeys the order to drain, or its absence; only the trusted Supervisor can give it."""
        wanted = False
        if order is not None:
            try:
                wanted = self._trust.open("drain", order).body == self._host.name.encode()
            except AtollError as error:
                log.error("an order to drain was refused", extra={"reason": error.message})
                self._complain(error.message)
        if wanted != self.draining:
            self.draining = wanted
            self._host.changes.notify()
            log.info("this environment drains" if wanted else "this environment takes new work again")

    def _accept(self, sealed: bytes, source: str) -> None:
        """Takes a model if the trusted Supervisor made it for us; else logs why not and shows the problem."""
        try:
            opened = self._trust.open("model", sealed)
            _ = self.apply(msgspec.json.decode(opened.body, type=AppModel))
        except (AtollError, msgspec.MsgspecError) as error:
            text = error.message if isinstance(error, AtollError) else str(error)
            log.error("a model of an app was refused", extra={"source": source, "reason": text})
            self._complain(text)
        else:
            self._cache.took(sealed)

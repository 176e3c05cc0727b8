"""The hosting half: one environment that runs apps and keeps them as their models say."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import secrets
import socket
from collections.abc import Collection, Iterable
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import psutil
from msgspec import Struct

from atoll.cluster.lock.base import Lock
from atoll.errors import AtollError, MessageRefused, RedisUnavailable, SupervisorKeyChanged
from atoll.lifecycle import BackgroundTasks
from atoll.logs.reading import LogQuery, LogReader
from atoll.supervisor.change import Changes
from atoll.supervisor.command.base import Commands, Delivery, Receipt
from atoll.supervisor.command.messages import Apply, Check, Checked, Instruction, ReadLogs, Refresh
from atoll.supervisor.identity import Pin
from atoll.supervisor.models import AppModel, EnvironmentCard, Finding, Reason, StatusRow
from atoll.supervisor.presence.base import Announcement, Presence
from atoll.supervisor.process.base import AppFactory
from atoll.supervisor.process.hosted import Host, HostedApp
from atoll.supervisor.process.model_cache import ModelCache
from atoll.supervisor.process.outbox import Outbox
from atoll.supervisor.proxy_identity import PROXY_PURPOSE, Signer
from atoll.supervisor.routing import reason_code
from atoll.supervisor.sealing import Opened, Sealer
from atoll.supervisor.start_queue import StartQueue
from atoll.supervisor.traffic import Traffic

log = logging.getLogger(__name__)

#: How long all apps together may take to stop with their environment.
_STOP_SECONDS = 20.0


class Environment(Host, Signer):
    """Runs the apps placed in it. Takes instructions from the Supervisor whose key it met first.

    Args:
        name, url, proxy_url, version: how it announces itself; the proxy URL is where the access proxy
        connects.
        presence, commands, locks: shared with the Supervisor; opened and closed by their giver.
        sealer: with this environment's key pair.
        logs: what is told when somebody asks for log lines.
        storage: folder for the trusted key and the sealed copies of models; None keeps nothing beyond the
            process (a single server, whose Supervisor is in the same process).
        width: how many apps start at the same time. step_seconds: limit for one step of a start or stop.
        pull_seconds: how often it compares with the models, pushed or not.
        report_seconds: how often it publishes what its apps' visitors ask for, if there were any.
    """

    def __init__(
        self,
        *,
        name: str,
        url: str,
        proxy_url: str,
        version: str,
        presence: Presence,
        commands: Commands,
        locks: Lock,
        sealer: Sealer,
        factory: AppFactory,
        logs: LogReader,
        storage: Path | None = None,
        width: int = 4,
        step_seconds: float = 120.0,
        pull_seconds: float = 3.0,
        report_seconds: float = 5.0,
    ) -> None:
        self.environment = name
        self.name, self.version, self.factory, self.step_seconds = name, version, factory, step_seconds
        self.instance = secrets.token_hex(8)
        self.queue = StartQueue(locks, width)
        self.changes = Changes()
        self.card = EnvironmentCard(
            name=name,
            url=url,
            proxy_url=proxy_url,
            app_version=version,
            public_key=sealer.keys.public,
            instance=self.instance,
            host=socket.gethostname(),
            pid=os.getpid(),
            started=psutil.Process().create_time(),
            since=datetime.now(UTC),
        )
        self._presence, self._commands, self._sealer = presence, commands, sealer
        self._pin = Pin(storage / "supervisor.key") if storage is not None else None
        self._cache = ModelCache(storage / "models" if storage is not None else None)
        self._outbox = Outbox(self._publish_row, self._publish_receipt)
        self._logs = logs
        self._pull_seconds = pull_seconds
        self.traffic = Traffic()
        self._report_seconds = report_seconds
        self._apps: dict[str, HostedApp] = {}
        self._sequence = 0
        self._epoch = ""
        self._version = ""
        self._announcement: Announcement | None = None
        self._supervisor_key = ""
        self._tasks = BackgroundTasks(f"environment {name}")
        self._look = asyncio.Event()
        self._pulling = asyncio.Lock()
        self._catching_up: asyncio.Task[None] | None = None
        self.informed = False
        """Whether the last comparison with the models succeeded."""

    # -- life

    async def start(self) -> None:
        """Announces the environment and begins to work.

        Raises EnvironmentNameTaken. When Redis cannot be reached it starts all the same, with the apps it
        knows from before, and announces itself as soon as it can.
        """
        try:
            await self._announce()
        except RedisUnavailable as error:
            log.warning(
                "Redis cannot be reached; the environment announces itself later",
                extra={"reason": error.message},
            )
            _ = self._tasks.keep_running("announce", self._announce_later)
        for sealed in await self._cache.load():
            self._accept(sealed, "the saved copy")
        with contextlib.suppress(RedisUnavailable):
            await self._pull()
        _ = self._tasks.keep_running("outbox", self._outbox.run)
        _ = self._tasks.keep_running("pull", self._keep_pulling)
        _ = self._tasks.keep_running("commands", self._obey)
        _ = self._tasks.keep_running("traffic", self._keep_reporting)

    async def stop(self) -> None:
        """Says goodbye, stops all apps and ends. What should be the case is left as it is."""
        await self._tasks.cancel_all()
        if self._announcement is not None:
            await self._announcement.withdraw()
            self._announcement = None
        closing = [asyncio.ensure_future(app.close()) for app in self._apps.values()]
        if closing:
            _, late = await asyncio.wait(closing, timeout=_STOP_SECONDS)
            if late:
                log.error("apps did not stop in time and are left behind", extra={"apps": len(late)})
                for task in late:
                    task.cancel()
                await asyncio.wait(late, timeout=1.0)

    # -- asked by the router

    def app(self, name: str) -> HostedApp | None:
        """The app of that name, unless it is being removed."""
        for app in self._apps.values():
            if app.model.name == name and app.goal.desired != "removed":
                return app
        return None

    @property
    def apps(self) -> Iterable[HostedApp]:
        """All apps known here, also those on their way out."""
        return tuple(self._apps.values())

    def sign(self, data: bytes) -> bytes:
        """Signs who this is, for the access proxy."""
        return self._sealer.keys.sign(data)

    def believes(self, data: bytes, proof: bytes) -> bool:
        """Whether the Supervisor that this environment takes instructions from made the proof.

        One that gave no instruction yet, in an environment without apps, proves nothing.
        """
        sender = self._pin.key if self._pin is not None else None
        if sender is None and self._sealer.scheme == "pair":
            return False
        return self._sealer.attests(sender or "", PROXY_PURPOSE, data, proof)

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
                    self._catching_up = self._tasks.spawn("catch-up", self._pull_once())
                await asyncio.wait({self._catching_up})

    async def _pull_once(self) -> None:
        with contextlib.suppress(RedisUnavailable):
            await self._pull()

    # -- Host

    def next_sequence(self) -> int:
        """See the base class."""
        self._sequence += 1
        return self._sequence

    def report(self, row: StatusRow) -> None:
        """See the base class."""
        self._outbox.put_row(row)
        self.changes.notify()

    def settled(self, uid: str, generation: int, failure: Reason | None) -> None:
        """See the base class."""
        app = self._apps.get(uid)
        goal = app.model.goal_generation if app is not None else generation
        for request_id in self._outbox.waiting(uid, generation):
            asked = self._outbox.generation(request_id)
            reason = failure
            if asked < min(goal, generation):
                reason = Reason(code="SUPERSEDED", message="A later instruction took its place.")
            self._settle(request_id, reason)

    # -- presence

    async def _announce(self) -> None:
        signed = self._sealer.wrap("card", msgspec.json.encode(self.card))
        self._announcement = await self._presence.announce(self.card, signed)

    async def _announce_later(self) -> None:
        while self._announcement is None:
            try:
                await self._announce()
            except AtollError as error:
                log.error("the environment cannot announce itself", extra={"reason": error.message})
                await asyncio.sleep(1.0)
        self._show_all_again()
        await asyncio.Event().wait()

    async def _publish_row(self, row: StatusRow) -> None:
        if self._announcement is None:
            return
        app = self._apps.get(row.uid)
        if app is None:
            await self._announcement.drop_status(row.uid)
        else:
            await self._announcement.write_status(
                row.uid, self._sealer.wrap("status", msgspec.json.encode(row))
            )

    async def _publish_receipt(self, receipt: Receipt) -> None:
        await self._commands.settle(receipt)

    async def _keep_reporting(self) -> None:
        """Publishes the figures; they are only worth something while they are new, so what fails is left."""
        process = psutil.Process()
        while True:
            await asyncio.sleep(self._report_seconds)
            if self._announcement is None:
                continue
            names = {app.model.name: app.model.uid for app in self._apps.values() if not app.removed}
            report = self.traffic.report(self.name, self.instance, names, process.memory_info().rss)
            with contextlib.suppress(RedisUnavailable):
                await self._announcement.write_traffic(
                    self._sealer.wrap("traffic", msgspec.msgpack.encode(report))
                )

    def _show_all_again(self) -> None:
        for app in self._apps.values():
            app.show_again()

    # -- models

    async def _keep_pulling(self) -> None:
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

    async def _pull(self) -> None:
        """Compares with the models as the Supervisor last wrote them."""
        async with self._pulling:
            self.informed = False
            pull = await self._presence.pull(self.name, self._version)
            self.informed = True
            if pull.epoch != self._epoch:
                lost, self._epoch = bool(self._epoch), pull.epoch
                if lost:
                    log.warning("shared state was lost; statuses are published again")
                    self._show_all_again()
            if pull.models is None:
                return
            for sealed in pull.models.values():
                if self._cache.changed(sealed):
                    self._accept(sealed, "the shared copy")
            self._forget_removed(pull.models.keys())
            self._show_unlisted(pull.models.keys())
            self._version = pull.version
            await self._cache.save(pull.models)

    def _forget_removed(self, listed: Iterable[str]) -> None:
        for uid in [uid for uid, app in self._apps.items() if app.removed and uid not in listed]:
            row = self._apps.pop(uid).row
            self._outbox.put_row(row)

    def _show_unlisted(self, listed: Iterable[str]) -> None:
        """An app that nobody tells us of any more goes on: only the Supervisor's word ends it. It sees the
        row, and answers."""
        for app in [app for uid, app in self._apps.items() if uid not in listed and not app.removed]:
            app.show_again()

    def _accept(self, sealed: bytes, source: str) -> None:
        """Takes a model if the trusted Supervisor made it for us; else logs why not and shows the problem."""
        try:
            opened = self._authentic("model", sealed)
            self._apply(msgspec.json.decode(opened.body, type=AppModel))
        except (AtollError, msgspec.MsgspecError) as error:
            text = error.message if isinstance(error, AtollError) else str(error)
            log.error("a model of an app was refused", extra={"source": source, "reason": text})
            if self._announcement is not None:
                self._announcement.complain(text)
        else:
            self._cache.took(sealed)

    def _authentic(self, purpose: str, data: bytes) -> Opened:
        opened = self._sealer.unwrap(purpose, data)
        sender = opened.header.sender
        if opened.header.scheme == "pair" and self._pin is not None and not self._pin.trusts(sender):
            raise SupervisorKeyChanged(
                f"The environment {self.name!r} trusts another Supervisor than the one that writes now."
                f" If the Supervisor was set up anew on purpose, remove {self._pin.file} and start the"
                " environment again."
            )
        return opened

    def _apply(self, model: AppModel) -> HostedApp:
        app = self._apps.get(model.uid)
        if app is None:
            app = self._apps[model.uid] = HostedApp(model, self)
        app.apply(model)
        self.changes.notify()
        return app

    # -- commands

    async def _obey(self) -> None:
        async for delivery in self._commands.deliveries(self.name):
            try:
                await self._carry_out(delivery)
            except RedisUnavailable as error:
                log.warning("a command could not be taken up", extra={"reason": error.message})

    async def _carry_out(self, delivery: Delivery) -> None:
        known = self._outbox.outcome(delivery.request_id)
        if known is not None:
            await self._commands.settle(known)
            return
        if self._outbox.expects(delivery.request_id):
            return
        try:
            instruction = self._read(delivery)
        except (AtollError, msgspec.MsgspecError) as error:
            log.error("a command was refused", extra={"reason": str(error)})
            self._settle(delivery.request_id, _reason(error))
            return
        if isinstance(instruction, Apply) and _only_for_others(instruction, self._apps):
            return
        receipt = await self._commands.take(self.name, delivery, self.instance)
        if receipt.state != "delivered":
            if isinstance(instruction, Apply) and receipt.state != "expired":
                self._follow(instruction.model)
            return
        match instruction:
            case Apply(model):
                self._outbox.expect(delivery.request_id, model.uid, model.generation)
                app = self._apply(model)
                self._look.set()
                if model.generation < app.model.generation:
                    self.settled(model.uid, app.model.generation, None)
            case Check(model):
                _ = self._tasks.spawn("check", self._check(delivery.request_id, model))
            case ReadLogs(query):
                _ = self._tasks.spawn("logs", self._read_logs(delivery.request_id, query))
            case Refresh():
                self._look.set()
                self._settle(delivery.request_id, None)

    def _follow(self, model: AppModel) -> None:
        """Another instance of this environment has carried out the command already; so does this one. An app
        that is not known here comes with the models: a repeated command must not bring a removed one back."""
        if model.uid in self._apps:
            self._apply(model)
        self._look.set()

    def _read(self, delivery: Delivery) -> Instruction:
        opened = self._authentic("command", delivery.message)
        if opened.header.request != delivery.request_id or opened.header.deadline != delivery.deadline:
            raise MessageRefused(
                "A command was delivered under another id or deadline than it was made with."
            )
        self._supervisor_key = opened.header.sender
        instruction: Instruction = msgspec.json.decode(opened.body, type=Apply | Check | Refresh | ReadLogs)
        return instruction

    async def _check(self, request_id: str, model: AppModel) -> None:
        runtime = self.factory(model)
        try:
            async with asyncio.timeout(self.step_seconds):
                findings = await runtime.check()
                identity = "" if findings else await runtime.database_identity()
        except TimeoutError:
            findings, identity = (
                [Finding(code="CHECK_TIMED_OUT", message="The database did not answer in time.")],
                "",
            )
        except AtollError as error:
            findings, identity = [Finding(code=reason_code(error), message=error.message)], ""
        self._reply(request_id, Checked(tuple(findings), identity))

    async def _read_logs(self, request_id: str, query: LogQuery) -> None:
        self._reply(request_id, await asyncio.to_thread(self._logs.find, query))

    def _reply(self, request_id: str, answer: Struct) -> None:
        """Answers a question, sealed for who asked."""
        body = msgspec.json.encode(answer)
        reply = self._sealer.wrap("reply", body, recipient=self._supervisor_key, request=request_id)
        self._settle(request_id, None, reply)

    def _settle(self, request_id: str, failure: Reason | None, reply: bytes = b"") -> None:
        self._outbox.put_receipt(
            Receipt(
                request_id=request_id,
                environment=self.name,
                state="applied" if failure is None else "failed",
                at=datetime.now(UTC),
                instance=self.instance,
                reason=failure,
                reply=reply,
            )
        )


def _only_for_others(instruction: Apply, apps: Collection[str]) -> bool:
    """Whether it takes an app without a record away from an instance that still has it; this one has not."""
    return not instruction.model.environments and instruction.model.uid not in apps


def _reason(error: Exception) -> Reason:
    if isinstance(error, AtollError):
        return Reason(code=reason_code(error), message=error.message)
    return Reason(
        code="MESSAGE_REFUSED", message="The command is of another version; update this environment."
    )

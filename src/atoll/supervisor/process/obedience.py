"""Commands that come to an environment: taken up once, carried out, and answered."""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime

import msgspec
from msgspec import Struct

from atoll.errors import AtollError, MessageRefused, RedisUnavailable
from atoll.lifecycle import BackgroundTasks
from atoll.logs.reading import LogQuery, LogReader
from atoll.supervisor.command.base import Commands, Delivery, Receipt
from atoll.supervisor.command.messages import Apply, Check, Checked, Instruction, ReadLogs, Refresh
from atoll.supervisor.models import AppModel, Finding, Reason
from atoll.supervisor.process.assigned import AssignedApps
from atoll.supervisor.process.hosted import Host
from atoll.supervisor.process.outbox import Outbox
from atoll.supervisor.process.trust import Trust
from atoll.supervisor.routing import reason_code
from atoll.supervisor.sealing import Sealer

log = logging.getLogger(__name__)


class Obedience:
    """Carries out the Supervisor's instructions. Each command has one outcome, put in the outbox as its
    receipt; one that comes a second time is answered with the same.

    Args:
        apps: what instructions change. outbox: shared with the rows, which go out before receipts.
        logs: what is told when somebody asks for log lines.
        tasks: checks and searches run in them.
    """

    def __init__(
        self,
        host: Host,
        commands: Commands,
        trust: Trust,
        sealer: Sealer,
        apps: AssignedApps,
        outbox: Outbox,
        logs: LogReader,
        tasks: BackgroundTasks,
    ) -> None:
        self._host, self._commands, self._trust, self._sealer = host, commands, trust, sealer
        self._apps, self._outbox, self._logs, self._tasks = apps, outbox, logs, tasks
        self._supervisor_key = ""

    async def run(self) -> None:
        """Takes up commands for as long as it runs."""
        async for delivery in self._commands.deliveries(self._host.name):
            try:
                await self._carry_out(delivery)
            except RedisUnavailable as error:
                log.warning("a command could not be taken up", extra={"reason": error.message})

    def settled(self, uid: str, generation: int, failure: Reason | None) -> None:
        """The app is as its model of that generation says, or the try to get there failed: answers the
        commands that wait for it."""
        app = self._apps.get(uid)
        goal = app.model.goal_generation if app is not None else generation
        for request_id in self._outbox.waiting(uid, generation):
            asked = self._outbox.generation(request_id)
            reason = failure
            if asked < min(goal, generation):
                reason = Reason(code="SUPERSEDED", message="A later instruction took its place.")
            self._settle(request_id, reason)

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
        if isinstance(instruction, Apply) and self._only_for_others(instruction):
            return
        receipt = await self._commands.take(self._host.name, delivery, self._host.instance)
        if receipt.state != "delivered":
            if isinstance(instruction, Apply) and receipt.state != "expired":
                self._follow(instruction.model)
            return
        match instruction:
            case Apply(model):
                self._outbox.expect(delivery.request_id, model.uid, model.generation)
                app = self._apps.apply(model)
                self._apps.look_soon()
                if model.generation < app.model.generation:
                    self.settled(model.uid, app.model.generation, None)
            case Check(model):
                _ = self._tasks.spawn("check", self._check(delivery.request_id, model))
            case ReadLogs(query):
                _ = self._tasks.spawn("logs", self._read_logs(delivery.request_id, query))
            case Refresh():
                self._apps.look_soon()
                self._settle(delivery.request_id, None)

    def _only_for_others(self, instruction: Apply) -> bool:
        """Whether it takes an app without a record away from an instance that still has it; this one has
        not."""
        return not instruction.model.environments and instruction.model.uid not in self._apps

    def _follow(self, model: AppModel) -> None:
        """Another instance of this environment has carried out the command already; so does this one. An app
        that is not known here comes with the models: a repeated command must not bring a removed one back."""
        if model.uid in self._apps:
            _ = self._apps.apply(model)
        self._apps.look_soon()

    def _read(self, delivery: Delivery) -> Instruction:
        opened = self._trust.open("command", delivery.message)
        if opened.header.request != delivery.request_id or opened.header.deadline != delivery.deadline:
            raise MessageRefused(
                "A command was delivered under another id or deadline than it was made with."
            )
        self._supervisor_key = opened.header.sender
        instruction: Instruction = msgspec.json.decode(opened.body, type=Apply | Check | Refresh | ReadLogs)
        return instruction

    async def _check(self, request_id: str, model: AppModel) -> None:
        runtime = self._host.factory(model)
        try:
            async with asyncio.timeout(self._host.step_seconds):
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
                environment=self._host.name,
                state="applied" if failure is None else "failed",
                at=datetime.now(UTC),
                instance=self._host.instance,
                reason=failure,
                reply=reply,
            )
        )


def _reason(error: Exception) -> Reason:
    if isinstance(error, AtollError):
        return Reason(code=reason_code(error), message=error.message)
    return Reason(
        code="MESSAGE_REFUSED", message="The command is of another version; update this environment."
    )

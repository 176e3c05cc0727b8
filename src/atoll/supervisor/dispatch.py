"""Sending commands to environments and following their receipts to the end."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import TypeVar

import msgspec

from atoll.errors import CommandExpired, MessageRefused, RedisUnavailable
from atoll.lifecycle import BackgroundTasks
from atoll.supervisor.command.base import Commands, Delivery, Receipt
from atoll.supervisor.command.messages import Instruction
from atoll.supervisor.sealing import Sealer

log = logging.getLogger(__name__)

#: How long the outcome of a command that was taken up is waited for.
_PATIENCE = 900.0
_KEPT = 1000
_Answer = TypeVar("_Answer")


class Dispatcher:
    """Sends, sends again under the same id when the service lost everything, and lets expire what nobody
    took.

    Args:
        on_receipt: called when a followed receipt changed.
        seconds: how long an environment may take to take up a command that is no question.
    """

    def __init__(
        self,
        commands: Commands,
        sealer: Sealer,
        tasks: BackgroundTasks,
        on_receipt: Callable[[Receipt], None],
        seconds: float,
    ) -> None:
        self._commands, self._sealer, self._tasks, self._on_receipt = commands, sealer, tasks, on_receipt
        self._seconds = seconds
        self._receipts: OrderedDict[str, dict[str, Receipt]] = OrderedDict()

    def receipts(self, request_id: str) -> Mapping[str, Receipt]:
        """The receipts of one request by environment, as far as known here."""
        return self._receipts.get(request_id, {})

    async def tell(
        self,
        environment: str,
        public_key: str,
        instruction: Instruction,
        request_id: str,
    ) -> None:
        """Sends a command and follows it in the background.

        Raises RedisUnavailable; the environment then learns what should be the case when it pulls.
        """
        delivery = self._delivery(public_key, instruction, request_id, self._seconds)
        self._note(await self._commands.send(environment, delivery))
        _ = self._tasks.spawn("follow", self._follow(environment, delivery))

    async def ask(
        self,
        environment: str,
        public_key: str,
        instruction: Instruction,
        answer: type[_Answer],
        seconds: float,
    ) -> _Answer:
        """Sends a question and gives its answer.

        Raises CommandExpired when none came, MessageRefused with what stands against an answer,
        RedisUnavailable.
        """
        delivery = self._delivery(public_key, instruction, secrets.token_hex(12), seconds)
        self._note(await self._commands.send(environment, delivery))
        receipt = await self._settled(environment, delivery, patience=0.0)
        if receipt.reason is not None:
            raise MessageRefused(
                f"The environment {environment!r} refused a question: {receipt.reason.message}"
            )
        if not receipt.reply:
            raise CommandExpired(
                f"The environment {environment!r} did not answer within {seconds:g} seconds."
                " Look whether it is overloaded or its database hangs, then try again."
            )
        opened = self._sealer.unwrap("reply", receipt.reply)
        if opened.header.request != delivery.request_id:
            raise MessageRefused("An answer belongs to another question.")
        if opened.header.scheme == "pair" and opened.header.sender != public_key:
            raise MessageRefused("An answer came from somebody else than the environment that was asked.")
        return msgspec.json.decode(opened.body, type=answer)

    def _delivery(
        self, public_key: str, instruction: Instruction, request_id: str, seconds: float
    ) -> Delivery:
        issued = self._commands.now()
        deadline = issued + seconds
        message = self._sealer.wrap(
            "command",
            msgspec.json.encode(instruction),
            recipient=public_key,
            request=request_id,
            issued=issued,
            deadline=deadline,
        )
        return Delivery(request_id=request_id, message=message, deadline=deadline)

    async def _follow(self, environment: str, delivery: Delivery) -> None:
        try:
            _ = await self._settled(environment, delivery, patience=_PATIENCE)
        except CommandExpired as error:
            log.warning("a command was lost", extra={"reason": error.message})

    async def _settled(self, environment: str, delivery: Delivery, *, patience: float) -> Receipt:
        """The receipt when it is final, or as it is `patience` seconds after the deadline."""
        while True:
            left = delivery.deadline - self._commands.now()
            try:
                receipt = await self._commands.wait(
                    environment, delivery.request_id, min(5.0, max(0.0, left + patience))
                )
                if receipt is None and left > 0:
                    receipt = await self._commands.send(environment, delivery)
                if receipt is not None and left <= 0 and receipt.state == "accepted":
                    receipt = await self._commands.expire(environment, delivery.request_id)
            except RedisUnavailable:
                await asyncio.sleep(0.5)
                continue
            if receipt is None:
                # Everything was lost and the deadline is over: the outcome shows in the status rows only.
                raise CommandExpired(f"What became of a command to {environment!r} is not known any more.")
            self._note(receipt)
            if receipt.final or left <= -patience:
                return receipt

    def _note(self, receipt: Receipt) -> None:
        kept = self._receipts.setdefault(receipt.request_id, {})
        before = kept.get(receipt.environment)
        if before is not None and (before.final or before.state == receipt.state):
            return
        kept[receipt.environment] = receipt
        while len(self._receipts) > _KEPT:
            self._receipts.popitem(last=False)
        self._on_receipt(receipt)

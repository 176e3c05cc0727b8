"""Commands inside one process."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator
from datetime import UTC, datetime

from msgspec.structs import replace

from atoll.supervisor.command.base import ANSWER_SECONDS, Commands, Delivery, Receipt

_KEPT = 1000


class MemoryCommands(Commands):
    """Commands and receipts in dictionaries; the newest thousand are kept."""

    def __init__(self) -> None:
        self._receipts: dict[tuple[str, str], Receipt] = {}
        self._answers: deque[tuple[float, tuple[str, str]]] = deque()
        self._sent: dict[str, list[Delivery]] = {}
        self._changed = asyncio.Condition()

    async def open(self) -> None:
        """Nothing to connect."""

    async def close(self) -> None:
        """Nothing to free."""

    def now(self) -> float:
        """This machine's clock."""
        return time.time()

    async def send(self, environment: str, delivery: Delivery) -> Receipt:
        """See the base class."""
        key = environment, delivery.request_id
        if (known := self._receipts.get(key)) is not None:
            return known
        self._sent.setdefault(environment, []).append(delivery)
        return await self._write(_receipt(environment, delivery.request_id, "accepted"))

    async def receipt(self, environment: str, request_id: str) -> Receipt | None:
        """See the base class."""
        return self._receipts.get((environment, request_id))

    async def expire(self, environment: str, request_id: str) -> Receipt | None:
        """See the base class."""
        known = self._receipts.get((environment, request_id))
        if known is not None and known.state == "accepted":
            return await self._write(replace(known, state="expired", at=datetime.now(UTC)))
        return known

    async def wait(self, environment: str, request_id: str, seconds: float) -> Receipt | None:
        """See the base class."""
        key = environment, request_id

        def settled() -> bool:
            return (known := self._receipts.get(key)) is not None and known.final

        try:
            async with asyncio.timeout(seconds), self._changed:
                await self._changed.wait_for(settled)
        except TimeoutError:
            pass
        return self._receipts.get(key)

    async def deliveries(self, environment: str) -> AsyncIterator[Delivery]:
        """See the base class."""
        seen: set[str] = set()

        def fresh() -> list[Delivery]:
            return [sent for sent in self._sent.get(environment, ()) if sent.request_id not in seen]

        while True:
            async with self._changed:
                await self._changed.wait_for(fresh)
                batch = fresh()
            seen.update(delivery.request_id for delivery in batch)
            seen.intersection_update(sent.request_id for sent in self._sent[environment])
            for delivery in batch:
                yield delivery

    async def take(self, environment: str, delivery: Delivery, instance: str) -> Receipt:
        """See the base class."""
        known = self._receipts.get((environment, delivery.request_id))
        if known is not None and known.final:
            return known
        state = "expired" if delivery.deadline and self.now() > delivery.deadline else "delivered"
        return await self._write(_receipt(environment, delivery.request_id, state, instance))

    async def settle(self, receipt: Receipt) -> Receipt:
        """See the base class."""
        known = self._receipts.get((receipt.environment, receipt.request_id))
        return known if known is not None and known.final else await self._write(receipt)

    async def _write(self, receipt: Receipt) -> Receipt:
        async with self._changed:
            key = receipt.environment, receipt.request_id
            self._receipts[key] = receipt
            if receipt.reply:
                self._answers.append((self.now() + ANSWER_SECONDS, key))
            while self._answers and self._answers[0][0] < self.now():
                self._receipts.pop(self._answers.popleft()[1], None)
            while len(self._receipts) > _KEPT:
                del self._receipts[next(iter(self._receipts))]
            sent = self._sent.get(receipt.environment, [])
            del sent[: max(0, len(sent) - _KEPT)]
            self._changed.notify_all()
        return receipt


def _receipt(environment: str, request_id: str, state: str, instance: str = "") -> Receipt:
    return Receipt(
        request_id=request_id,
        environment=environment,
        state="expired" if state == "expired" else "delivered" if state == "delivered" else "accepted",
        at=datetime.now(UTC),
        instance=instance,
    )

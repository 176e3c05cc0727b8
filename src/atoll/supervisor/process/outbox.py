"""What an environment has to say, kept until it could be said: the newest row per app, and receipts."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable

from atoll.errors import RedisUnavailable
from atoll.supervisor.command.base import Receipt
from atoll.supervisor.models import StatusRow

log = logging.getLogger(__name__)

_OUTCOMES = 1000
#: Answers to questions are long, and asking again does no harm.
_ANSWERS = 20


class Outbox:
    """Publishes in the order things were put in; while Redis is away it waits and keeps only the newest rows.

    It also remembers outcomes, so that a command that comes a second time is answered and not carried out
    again.
    """

    def __init__(
        self,
        publish_row: Callable[[StatusRow], Awaitable[None]],
        publish_receipt: Callable[[Receipt], Awaitable[object]],
    ) -> None:
        self._publish_row, self._publish_receipt = publish_row, publish_receipt
        self._rows: OrderedDict[str, StatusRow] = OrderedDict()
        self._receipts: OrderedDict[str, Receipt] = OrderedDict()
        self._outcomes: OrderedDict[str, Receipt] = OrderedDict()
        self._answers: deque[str] = deque()
        self._expected: dict[str, tuple[str, int]] = {}
        self._filled = asyncio.Event()

    def put_row(self, row: StatusRow) -> None:
        """Publishes the row; an unpublished older one of the same app is dropped."""
        self._rows[row.uid] = row
        self._filled.set()

    def put_receipt(self, receipt: Receipt) -> None:
        """Publishes the outcome of a command, after the rows that stand before it, and remembers it."""
        self._expected.pop(receipt.request_id, None)
        if receipt.request_id in self._outcomes:
            return
        self._outcomes[receipt.request_id] = receipt
        while len(self._outcomes) > _OUTCOMES:
            self._outcomes.popitem(last=False)
        if receipt.reply:
            self._answers.append(receipt.request_id)
            if len(self._answers) > _ANSWERS:
                self._outcomes.pop(self._answers.popleft(), None)
        self._receipts[receipt.request_id] = receipt
        self._filled.set()

    def expect(self, request_id: str, uid: str, generation: int) -> None:
        """The outcome of the command is that of the app's model of this generation."""
        self._expected[request_id] = (uid, generation)

    def expects(self, request_id: str) -> bool:
        """True while the command is being carried out."""
        return request_id in self._expected

    def waiting(self, uid: str, generation: int) -> list[str]:
        """The commands that wait for this generation of the app or an older one."""
        return [
            request for request, (app, asked) in self._expected.items() if app == uid and asked <= generation
        ]

    def generation(self, request_id: str) -> int:
        """The generation the command waits for."""
        return self._expected[request_id][1]

    def outcome(self, request_id: str) -> Receipt | None:
        """What became of a command, if that is known here."""
        return self._outcomes.get(request_id)

    async def run(self) -> None:
        """Publishes for as long as it runs."""
        while True:
            await self._filled.wait()
            self._filled.clear()
            while self._rows or self._receipts:
                await self._publish_next()

    async def _publish_next(self) -> None:
        try:
            if self._rows:
                uid, row = next(iter(self._rows.items()))
                await self._publish_row(row)
                if self._rows.get(uid) is row:
                    del self._rows[uid]
            else:
                request_id, receipt = next(iter(self._receipts.items()))
                await self._publish_receipt(receipt)
                self._receipts.pop(request_id, None)
        except RedisUnavailable as error:
            log.warning("statuses wait until Redis is back", extra={"reason": error.message})
            await asyncio.sleep(0.5)

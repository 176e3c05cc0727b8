"""One try of one item: the handler runs, and what became of it is judged the same way for every adapter."""

from __future__ import annotations

import asyncio
import logging
import random
from dataclasses import dataclass
from typing import Literal

from atoll.cluster.queue.base import LONGEST_BACKOFF, LOST_TRIES, Item, Process
from atoll.errors import AtollError, QueueItemNotUnderstood, QueueItemRefused

log = logging.getLogger(__name__)
LONGEST_REASON = 500
NOT_UNDERSTOOD_PAUSE = 2.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the broker is to do with an item.

    Attributes:
        kind: done: forget it; retry: after `delay`, one try used up; later: after `delay`, none used up;
            back: at once, none used up; dead: keep it as a dead letter.
    """

    kind: Literal["done", "retry", "later", "back", "dead"]
    delay: float = 0.0
    reason: str = ""


DONE = Verdict("done")
BACK = Verdict("back")


async def attempt(item: Item, process: Process) -> Verdict:
    """Runs the handler. Only a cancellation from outside is raised."""
    try:
        async with asyncio.timeout(item.timeout) as limit:
            await process(item)
    except QueueItemRefused as error:
        log.error("item refused by its handler", extra=about(item, error.message))
        return Verdict("dead", reason=error.message)
    except QueueItemNotUnderstood as error:
        log.warning("item left for a consumer that understands it", extra=about(item, error.message))
        return Verdict("later", delay=NOT_UNDERSTOOD_PAUSE * random.uniform(0.7, 1.3))  # noqa: S311 - spreads
    except Exception as error:  # noqa: BLE001 - judged: tried again, or kept with the reason
        if limit.expired():
            return _failed(item, f"took longer than {item.timeout:g} s", None)
        return _failed(item, _reason(error), error)
    return DONE


def lost(item: Item) -> Verdict:
    """For an item whose process died or hung. `item.lost` does not count this time yet."""
    if item.lost + 1 >= LOST_TRIES:
        return Verdict("dead", reason=f"its process died or hung {item.lost + 1} times")
    return BACK


def pause(item: Item) -> float:
    """Seconds before the next try: doubles with each, and varies so that failures do not come in step."""
    longest = min(item.backoff * 2.0 ** min(item.retried, 30), LONGEST_BACKOFF)
    return longest * random.uniform(0.75, 1.25)  # noqa: S311 - spreads


def about(item: Item, reason: str) -> dict[str, object]:
    """For log lines."""
    return {"channel": item.channel, "item": item.id, "retried": item.retried, "reason": reason}


def _failed(item: Item, reason: str, error: Exception | None) -> Verdict:
    if item.retried >= item.max_retries:
        log.error("item given up", exc_info=error, extra=about(item, reason))
        return Verdict("dead", reason=reason)
    delay = pause(item)
    log.warning("item failed and is tried again", exc_info=error, extra={**about(item, reason), "in": delay})
    return Verdict("retry", delay=delay, reason=reason)


def _reason(error: Exception) -> str:
    text = error.message if isinstance(error, AtollError) else f"{type(error).__name__}: {error}"
    return text[:LONGEST_REASON]

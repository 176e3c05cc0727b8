"""What people see of the queues: numbers, the reason why nobody works, and dead letters with a way out."""

from __future__ import annotations

import pytest

from atoll.application.app import Application
from atoll.cluster.queue import Item

from .conftest import Api, until

pytestmark = pytest.mark.anyio


async def test_dead_letters_are_seen_redriven_and_dropped(app: Application, root: Api) -> None:
    broken = True
    done = []

    async def process(item: Item) -> None:
        if broken:
            raise RuntimeError("the printer is on fire")
        done.append(item.content)

    await app.services.serve("plugin-print:print", "print", process)
    for number in range(3):
        await app.queue.publish("print", b"page %d" % number)
    await until(lambda: root.data("queues:list"), lambda rows: _row(rows)["dead"] == 3)
    row = _row(await root.data("queues:list"))
    assert (row["serviceKey"], row["consumers"], row["reason"]) == ("plugin-print:print", 1, None)
    letters = await root.data("queues:dead/print")
    assert [letter["reason"] for letter in letters] == ["RuntimeError: the printer is on fire"] * 3
    assert letters[0]["bytes"] == len(b"page 0")
    assert "page 0" not in str(letters)

    assert await root.data("queues:drop/print", {"ids": [letters[1]["id"], "unknown"]}) == {"count": 1}
    broken = False
    assert await root.data("queues:redrive/print", {"ids": [letters[0]["id"]]}) == {"count": 1}
    assert await root.data("queues:redrive/print", {"all": True}) == {"count": 1}
    await until(lambda: root.data("queues:list"), lambda rows: _row(rows)["dead"] == 0 and len(done) == 2)
    assert sorted(done) == [b"page 0", b"page 2"]


async def test_what_is_not_said_clearly_is_refused(app: Application, root: Api, anonymous: Api) -> None:
    await app.services.serve("plugin-print:print", "print", _nothing)
    assert (await root.call("queues:dead/unheard")).status_code == 404
    unclear: list[dict[str, object]] = [{}, {"ids": []}, {"ids": [1]}, {"ids": "a"}, {"all": "yes"}]
    for values in unclear:
        assert (await root.call("queues:drop/print", values)).status_code == 400, values
    assert (await anonymous.call("queues:list")).status_code == 401


async def test_a_queue_nobody_serves_says_why(app: Application, root: Api) -> None:
    await app.services.serve("plugin-print:print", "print", _nothing, idle=lambda: False)
    for consumer in app.services._consumers[-1:]:
        await consumer.close()
    await app.queue.publish("print", b"waits")
    row = _row(await root.data("queues:list"))
    assert row["waiting"] == 1
    assert "No running instance serves plugin-print:print" in str(row["reason"])


def _row(rows: list[dict[str, object]]) -> dict[str, object]:
    (row,) = [each for each in rows if each["channel"] == "print"]
    return row


async def _nothing(_: Item) -> None:
    return

"""What every pub/sub adapter must do (cluster/pubsub/base.py says it in words).

The test module gives a fixture `node` and `other_node`: two nodes that hear each other.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from atoll.cluster.pubsub import Gap, PubSub

PATIENCE = 15.0
QUIET = 0.3  # long enough for a message that must not come


class Heard:
    """A handler that remembers."""

    def __init__(self) -> None:
        self.messages: list[bytes | Gap] = []
        self._came = asyncio.Event()

    async def __call__(self, message: bytes | Gap) -> None:
        """The handler."""
        self.messages.append(message)
        self._came.set()

    async def until(self, condition: Callable[[list[bytes | Gap]], bool]) -> None:
        """Waits until what was heard so far fulfils the condition."""
        async with asyncio.timeout(PATIENCE):
            while not condition(self.messages):
                self._came.clear()
                await self._came.wait()

    async def count(self, number: int) -> None:
        """Waits for so many messages."""
        await self.until(lambda messages: len(messages) >= number)


@pytest.mark.anyio
class PubSubConformance:
    """The suite."""

    async def test_all_other_nodes_hear_it(self, node: PubSub, other_node: PubSub) -> None:
        """As bytes, unchanged; the sender only when it asks for it."""
        here, there, there_too = Heard(), Heard(), Heard()
        await node.subscribe("c", here)
        await other_node.subscribe("c", there)
        await other_node.subscribe("c", there_too)
        await node.publish("c", b"\x00\xff one")
        await there.count(1)
        await there_too.count(1)
        assert there.messages == there_too.messages == [b"\x00\xff one"]
        await node.publish("c", b"two", skip_self=False)
        await there.count(2)
        await here.count(1)
        assert here.messages == [b"two"]

    async def test_order_and_completeness(self, node: PubSub, other_node: PubSub) -> None:
        """Of many messages from two senders, each sender's in its order."""
        heard = Heard()
        await node.subscribe("c", heard)

        async def send(letter: bytes) -> None:
            for number in range(100):
                await other_node.publish("c", letter + b"%d" % number)

        await asyncio.gather(send(b"a"), send(b"b"))
        await heard.count(200)
        for letter in (b"a", b"b"):
            own = [m for m in heard.messages if isinstance(m, bytes) and m.startswith(letter)]
            assert own == [letter + b"%d" % number for number in range(100)]
        assert Gap() not in heard.messages

    async def test_channels_are_separate(self, node: PubSub, other_node: PubSub) -> None:
        """Names with odd characters too."""
        names = ["a", "a:b", "a/b", "ä 漢", "count", "a:count"]
        heard = {name: Heard() for name in names}
        for name in names:
            await node.subscribe(name, heard[name])
        for name in names:
            await other_node.publish(name, name.encode())
        for name in names:
            await heard[name].count(1)
        await asyncio.sleep(QUIET)
        assert {name: one.messages for name, one in heard.items()} == {
            name: [name.encode()] for name in names
        }

    async def test_only_what_comes_after_subscribing(self, node: PubSub, other_node: PubSub) -> None:
        """And everything that does, from the first moment on."""
        for number in range(10):
            await other_node.publish("c", b"before")
            heard = Heard()
            subscription = await node.subscribe("c", heard)
            await other_node.publish("c", b"%d" % number)
            await heard.count(1)
            assert heard.messages == [b"%d" % number]
            await subscription.close()

    async def test_a_closed_subscription_is_silent(self, node: PubSub, other_node: PubSub) -> None:
        """Others on the channel go on; closing twice is fine."""
        closed, open_ = Heard(), Heard()
        subscription = await node.subscribe("c", closed)
        await node.subscribe("c", open_)
        await subscription.close()
        await subscription.close()
        await other_node.publish("c", b"1")
        await open_.count(1)
        assert closed.messages == []

    async def test_a_failing_handler_gets_the_next_message(self, node: PubSub, other_node: PubSub) -> None:
        """And does not disturb others."""
        heard = Heard()

        async def fail(message: bytes | Gap) -> None:
            await heard(message)
            raise RuntimeError("handler")

        await node.subscribe("c", fail)
        await other_node.publish("c", b"1")
        await other_node.publish("c", b"2")
        await heard.count(2)
        assert heard.messages == [b"1", b"2"]

    async def test_a_slow_handler_does_not_hold_up_others(self, node: PubSub, other_node: PubSub) -> None:
        """Each has a queue of its own and one message at a time."""
        go_on = asyncio.Event()
        running = 0
        heard = Heard()

        async def slow(message: bytes | Gap) -> None:
            nonlocal running
            running += 1
            assert running == 1
            await go_on.wait()
            running -= 1

        await node.subscribe("c", slow)
        await node.subscribe("c", heard)
        for number in range(5):
            await other_node.publish("c", b"%d" % number)
        await heard.count(5)
        assert running == 1
        go_on.set()

    async def test_a_handler_may_close_its_own_subscription(self, node: PubSub, other_node: PubSub) -> None:
        """Once is enough for some."""
        heard = Heard()
        subscription = await node.subscribe("c", heard)

        async def once(message: bytes | Gap) -> None:
            await heard(message)
            await own.close()

        own = await node.subscribe("c", once)
        await other_node.publish("c", b"1")
        await other_node.publish("c", b"2")
        await heard.count(3)
        await asyncio.sleep(QUIET)
        assert sorted(m for m in heard.messages if isinstance(m, bytes)) == [b"1", b"1", b"2"]
        await subscription.close()

    async def test_scopes_are_nodes_of_their_own(self, node: PubSub, other_node: PubSub) -> None:
        """Same name: hear each other, in one process too. Other name: do not. Closing one leaves the rest."""
        one, two, same, top = node.scope("one"), node.scope("two"), other_node.scope("one"), Heard()
        in_one, in_two, in_same = Heard(), Heard(), Heard()
        await one.subscribe("c", in_one)
        await two.subscribe("c", in_two)
        await same.subscribe("c", in_same)
        await node.subscribe("c", top)
        await one.publish("c", b"1")
        await in_same.count(1)
        await node.scope("one").publish("c", b"2")
        await in_one.count(1)
        await in_same.count(2)
        await one.close()
        await other_node.publish("c", b"3")
        await top.count(1)
        await same.publish("c", b"4", skip_self=False)
        await in_same.count(3)
        await asyncio.sleep(QUIET)
        assert (in_one.messages, in_two.messages, top.messages) == ([b"2"], [], [b"3"])
        await two.close()
        await same.close()

    async def test_too_many_for_a_handler_become_a_gap(self, node: PubSub, other_node: PubSub) -> None:
        """Memory stays bounded, and the handler learns of it."""
        go_on = asyncio.Event()
        heard = Heard()

        async def slow(message: bytes | Gap) -> None:
            await go_on.wait()
            await heard(message)

        await node.subscribe("c", slow)
        for number in range(6000):
            await other_node.publish("c", b"%d" % number)
        behind = Heard()
        await node.subscribe("end", behind)
        await other_node.publish("end", b"")
        await behind.count(1)
        go_on.set()
        await heard.until(lambda messages: Gap() in messages)
        await heard.until(lambda messages: messages[-1] in {b"5999", Gap()})
        assert len(heard.messages) < 6000

    async def test_only_to_oneself(self, node: PubSub, other_node: PubSub) -> None:
        """All subscribers of this node, in this channel; nobody elsewhere."""
        here, here_too, beside, there = Heard(), Heard(), Heard(), Heard()
        await node.subscribe("c", here)
        await node.subscribe("c", here_too)
        await node.subscribe("d", beside)
        await other_node.subscribe("c", there)
        await node.publish("c", b"own", only_self=True)
        await here.count(1)
        await here_too.count(1)
        await node.publish("c", b"all")
        await there.count(1)
        await asyncio.sleep(QUIET)
        assert (here.messages, beside.messages, there.messages) == ([b"own"], [], [b"all"])

    async def test_debounced_messages_go_once(self, node: PubSub, other_node: PubSub) -> None:
        """Per message, channel and receivers; later ones go again; closing sends what is held back."""
        here, there, beside = Heard(), Heard(), Heard()
        await node.subscribe("c", here)
        await other_node.subscribe("c", there)
        await other_node.subscribe("d", beside)
        for _ in range(20):
            await node.publish("c", b"1", debounce=QUIET)
            await node.publish("c", b"2", debounce=QUIET)
            await node.publish("c", b"1", debounce=QUIET, only_self=True)
            await node.publish("d", b"1", debounce=QUIET)
        await there.count(2)
        await beside.count(1)
        await here.count(1)
        await node.publish("c", b"1", debounce=QUIET)
        await there.count(3)
        assert sorted(m for m in there.messages if isinstance(m, bytes)) == [b"1", b"1", b"2"]
        assert (here.messages, beside.messages) == ([b"1"], [b"1"])
        scoped, far = node.scope("s"), Heard()
        await other_node.scope("s").subscribe("c", far)
        await scoped.publish("c", b"last", debounce=3600)
        await scoped.close()
        await far.count(1)
        assert far.messages == [b"last"]

    async def test_after_a_block_that_ended_well(self, node: PubSub, other_node: PubSub) -> None:
        """Not before its end, in order; nothing of a block that failed."""
        there, done = Heard(), []

        @asynccontextmanager
        async def transaction() -> AsyncIterator[str]:
            yield "connection"
            assert there.messages == []
            done.append("committed")

        await other_node.subscribe("c", there)
        with pytest.raises(RuntimeError):
            async with node.after(transaction()) as (_, announce):
                announce("c", b"never")
                raise RuntimeError
        async with node.after(transaction()) as (connection, announce):
            assert connection == "connection"
            announce("c", b"1")
            announce("c", b"2")
            await asyncio.sleep(QUIET)
        await there.count(2)
        assert (done, there.messages) == (["committed"], [b"1", b"2"])

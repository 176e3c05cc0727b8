"""What every command adapter must do (supervisor/command/base.py says it in words).

The test module gives fixtures `commands` and `other_commands`: the Supervisor's and the environment's
adapter on the same service. For memory both are the same object.
"""

from __future__ import annotations

import asyncio
import secrets
from datetime import UTC, datetime

import pytest

from atoll.supervisor.command.base import Commands, Delivery, Receipt, ReceiptState

PATIENCE = 15.0


def order(commands: Commands, *, seconds: float = 60.0) -> Delivery:
    """A command with a deadline."""
    request = secrets.token_hex(6)
    return Delivery(request_id=request, message=b"do " + request.encode(), deadline=commands.now() + seconds)


def outcome(delivery: Delivery, state: ReceiptState = "applied", reply: bytes = b"") -> Receipt:
    """A receipt."""
    return Receipt(
        request_id=delivery.request_id, environment="env_a", state=state, at=datetime.now(UTC), reply=reply
    )


async def first(commands: Commands, environment: str, count: int = 1) -> list[Delivery]:
    """The first so many deliveries."""
    found = []
    async with asyncio.timeout(PATIENCE):
        async for delivery in commands.deliveries(environment):
            found.append(delivery)
            if len(found) == count:
                break
    return found


@pytest.mark.anyio
class CommandConformance:
    """The suite."""

    async def test_a_command_and_its_receipts(self, commands: Commands, other_commands: Commands) -> None:
        """Accepted, delivered, applied, with the answer; each seen by both sides."""
        sent = order(commands)
        assert await commands.receipt("env_a", sent.request_id) is None
        assert (await commands.send("env_a", sent)).state == "accepted"
        assert await first(other_commands, "env_a") == [sent]
        assert (await other_commands.take("env_a", sent, "i1")).state == "delivered"
        taken = await commands.receipt("env_a", sent.request_id)
        assert taken is not None
        assert (taken.state, taken.instance) == ("delivered", "i1")
        waiting = asyncio.create_task(commands.wait("env_a", sent.request_id, PATIENCE))
        await other_commands.settle(outcome(sent, reply=b"\x00answer\xff"))
        settled = await waiting
        assert settled is not None
        assert (settled.state, settled.reply) == ("applied", b"\x00answer\xff")

    async def test_the_first_outcome_stays(self, commands: Commands, other_commands: Commands) -> None:
        """Against later outcomes, against taking up again, against sending again."""
        sent = order(commands)
        await commands.send("env_a", sent)
        await other_commands.take("env_a", sent, "i1")
        await other_commands.settle(outcome(sent, "failed"))
        assert (await other_commands.settle(outcome(sent, "applied"))).state == "failed"
        assert (await other_commands.take("env_a", sent, "i1")).state == "failed"
        assert (await commands.send("env_a", sent)).state == "failed"
        assert len(await first(other_commands, "env_a")) == 1

    async def test_expired_or_taken_but_never_both(
        self, commands: Commands, other_commands: Commands
    ) -> None:
        """Whatever comes first."""
        one, two = order(commands), order(commands)
        await commands.send("env_a", one)
        await commands.send("env_a", two)
        await other_commands.take("env_a", one, "i1")
        expired = await commands.expire("env_a", one.request_id)
        assert expired is not None
        assert expired.state == "delivered"
        expired = await commands.expire("env_a", two.request_id)
        assert expired is not None
        assert expired.state == "expired"
        assert (await other_commands.take("env_a", two, "i1")).state == "expired"
        for _ in range(20):
            raced = order(commands)
            await commands.send("env_a", raced)
            results = await asyncio.gather(
                other_commands.take("env_a", raced, "i1"), commands.expire("env_a", raced.request_id)
            )
            assert len({result.state for result in results if result is not None}) == 1

    async def test_past_its_deadline_a_command_is_not_taken_up(
        self, commands: Commands, other_commands: Commands
    ) -> None:
        """It expires, with a receipt."""
        sent = order(commands, seconds=-1.0)
        await commands.send("env_a", sent)
        assert (await other_commands.take("env_a", sent, "i1")).state == "expired"
        receipt = await commands.receipt("env_a", sent.request_id)
        assert receipt is not None
        assert receipt.final

    async def test_order_and_separation(self, commands: Commands, other_commands: Commands) -> None:
        """In the order sent, only to the environment meant, also when it was away."""
        sent = [order(commands) for _ in range(20)]
        for each in sent:
            await commands.send("env_a", each)
        other = order(commands)
        await commands.send("env_b", other)
        assert await first(other_commands, "env_a", 20) == sent
        assert await first(other_commands, "env_b") == [other]

    async def test_each_instance_gets_each_command(
        self, commands: Commands, other_commands: Commands
    ) -> None:
        """Two readers of one environment."""
        readers = [asyncio.create_task(first(each, "env_a", 3)) for each in (commands, other_commands)]
        await asyncio.sleep(0)
        sent = [order(commands) for _ in range(3)]
        for each in sent:
            await commands.send("env_a", each)
        assert await asyncio.gather(*readers) == [sent, sent]

    async def test_waiting_ends(self, commands: Commands, other_commands: Commands) -> None:
        """With what is known when time is up, and for the unknown without an answer."""
        sent = order(commands)
        await commands.send("env_a", sent)
        receipt = await commands.wait("env_a", sent.request_id, 0.05)
        assert receipt is not None
        assert receipt.state == "accepted"
        assert await other_commands.wait("env_a", "unknown", 0.05) is None

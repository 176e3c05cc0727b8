"""What every lock adapter must do (cluster/lock/base.py says it in words).

The test module gives a fixture `lock` and `other_lock`: two adapters that compete, as two processes would
have them.
"""

from __future__ import annotations

import asyncio
import time

import pytest

from atoll.cluster.lock import Lock
from atoll.errors import LeaseLost, LockNotAcquired

PATIENCE = 15.0
LONG = 60.0
SHORT = 0.15


@pytest.mark.anyio
class LockConformance:
    """The suite."""

    async def test_one_holder_at_a_time(self, lock: Lock, other_lock: Lock) -> None:
        """Other keys are free; a released key too."""
        lease = await lock.acquire("a", LONG)
        with pytest.raises(LockNotAcquired):
            await other_lock.acquire("a", LONG, 0)
        with pytest.raises(LockNotAcquired):
            await lock.acquire("a", LONG, 0.05)
        await (await other_lock.acquire("b", LONG)).release()
        await lease.release()
        await (await other_lock.acquire("a", LONG)).release()

    async def test_waiting_ends_when_the_holder_leaves(self, lock: Lock, other_lock: Lock) -> None:
        """With a limit and without."""
        for wait in (PATIENCE, None):
            lease = await lock.acquire("a", LONG)
            waiting = asyncio.create_task(other_lock.acquire("a", LONG, wait))
            await asyncio.sleep(0.05)
            assert not waiting.done()
            await lease.release()
            async with asyncio.timeout(PATIENCE):
                await (await waiting).release()

    async def test_a_lease_ends_by_itself(self, lock: Lock, other_lock: Lock) -> None:
        """And is not given before."""
        lease = await lock.acquire("a", SHORT)
        begun = time.monotonic()
        following = await other_lock.acquire("a", LONG, PATIENCE)
        assert time.monotonic() - begun > SHORT * 0.5
        assert following.token > lease.token
        with pytest.raises(LeaseLost):
            lease.check()
        following.check()

    async def test_only_the_holder_renews_and_releases(self, lock: Lock, other_lock: Lock) -> None:
        """An old holder frees and lengthens nothing of a new one's."""
        old = await lock.acquire("a", SHORT)
        new = await other_lock.acquire("a", LONG, PATIENCE)
        with pytest.raises(LeaseLost):
            await old.renew()
        with pytest.raises(LeaseLost):
            await old.release()
        with pytest.raises(LockNotAcquired):
            await lock.acquire("a", LONG, 0)
        await new.renew()
        await new.release()
        with pytest.raises(LeaseLost):
            await new.release()
        with pytest.raises(LeaseLost):
            await new.renew()

    async def test_an_ended_lease_is_not_renewed(self, lock: Lock) -> None:
        """Even when nobody took the key meanwhile."""
        lease = await lock.acquire("a", SHORT)
        await asyncio.sleep(SHORT * 2)
        with pytest.raises(LeaseLost):
            await lease.renew()

    async def test_renewing_keeps_it(self, lock: Lock, other_lock: Lock) -> None:
        """For several times its length."""
        lease = await lock.acquire("a", 0.6)
        for _ in range(6):
            await asyncio.sleep(0.2)
            await lease.renew()
            with pytest.raises(LockNotAcquired):
                await other_lock.acquire("a", LONG, 0)
        await lease.renew(LONG)
        assert lease.expires > time.monotonic() + LONG / 2

    async def test_tokens_grow(self, lock: Lock, other_lock: Lock) -> None:
        """With each lease of a key, whoever gets it."""
        tokens = []
        for number in range(20):
            lease = await (lock, other_lock)[number % 2].acquire("a", LONG)
            tokens.append(lease.token)
            await lease.release()
        assert tokens == sorted(set(tokens))

    async def test_cancelled_waiting_leaves_nothing(self, lock: Lock, other_lock: Lock) -> None:
        """Not even when it was about to get the key."""
        for _ in range(10):
            lease = await lock.acquire("a", LONG, PATIENCE)
            waiting = asyncio.create_task(other_lock.acquire("a", LONG, None))
            await asyncio.sleep(0)
            releasing = asyncio.create_task(lease.release())
            await asyncio.sleep(0.002)
            waiting.cancel()
            results = await asyncio.gather(waiting, releasing, return_exceptions=True)
            if not isinstance(results[0], BaseException):
                await results[0].release()
            await (await lock.acquire("a", LONG, PATIENCE)).release()

    async def test_many_compete(self, lock: Lock, other_lock: Lock) -> None:
        """Every one gets its turn, never two at once."""
        inside = 0
        turns = 0

        async def take(adapter: Lock) -> None:
            nonlocal inside, turns
            async with adapter.hold("a", LONG, None):
                inside += 1
                assert inside == 1
                turns += 1
                await asyncio.sleep(0.001)
                inside -= 1

        async with asyncio.timeout(PATIENCE * 2):
            await asyncio.gather(*(take(adapter) for adapter in (lock, other_lock) * 6))
        assert turns == 12

    async def test_hold_renews_and_releases(self, lock: Lock, other_lock: Lock) -> None:
        """For longer than the lease."""
        async with lock.hold("a", 0.6):
            for _ in range(5):
                await asyncio.sleep(0.25)
                with pytest.raises(LockNotAcquired):
                    await other_lock.acquire("a", LONG, 0)
        await (await other_lock.acquire("a", LONG)).release()

    async def test_a_lost_lease_stops_the_block(self, lock: Lock) -> None:
        """It ends with LeaseLost, not with a cancellation that leaks."""
        reached = False
        with pytest.raises(LeaseLost):
            async with asyncio.timeout(PATIENCE), lock.hold("a", 0.3) as lease:
                await lease.release()
                await asyncio.Event().wait()
                reached = True
        assert not reached
        task = asyncio.current_task()
        assert task is not None
        assert task.cancelling() == 0
        await asyncio.sleep(0)

    async def test_an_error_in_the_block_releases(self, lock: Lock, other_lock: Lock) -> None:
        """And reaches the caller."""
        with pytest.raises(RuntimeError, match="own"):
            async with lock.hold("a", LONG):
                raise RuntimeError("own")
        await (await other_lock.acquire("a", LONG)).release()

    async def test_trying_does_not_wait(self, lock: Lock, other_lock: Lock) -> None:
        """A held key gives None at once."""
        lease = await lock.try_acquire("a", LONG)
        assert lease is not None
        async with asyncio.timeout(PATIENCE):
            assert await other_lock.try_acquire("a", LONG) is None
        await lease.release()
        again = await other_lock.try_acquire("a", LONG)
        assert again is not None
        assert again.token > lease.token

    async def test_exclusive_work(self, lock: Lock, other_lock: Lock) -> None:
        """Waits its turn, outlives its ttl, gives its result; its error releases; impatience is told."""
        running: list[str] = []

        async def work(name: str) -> str:
            assert not running
            running.append(name)
            await asyncio.sleep(0.9)
            running.remove(name)
            return name

        async with asyncio.timeout(PATIENCE):
            done = await asyncio.gather(
                lock.run_exclusive("a", lambda: work("one"), 0.6),
                other_lock.run_exclusive("a", lambda: work("two"), 0.6),
            )
        assert list(done) == ["one", "two"]

        async def fail() -> None:
            with pytest.raises(LockNotAcquired):
                await other_lock.run_exclusive("a", lambda: work("three"), wait=0.05)
            raise RuntimeError("own")

        with pytest.raises(RuntimeError, match="own"):
            await lock.run_exclusive("a", fail)
        assert await other_lock.run_exclusive("a", lambda: work("four"), wait=0) == "four"

    async def test_scopes(self, lock: Lock, other_lock: Lock) -> None:
        """One name: the same keys, everywhere. Other names: others, whatever they look like."""
        lease = await lock.scope("one").acquire("a", LONG)
        assert await other_lock.scope("one").try_acquire("a", LONG) is None
        others = [lock, lock.scope("two"), lock.scope("one").scope("one"), lock.scope("one/")]
        for each in (*others, lock.scope("lease")):
            assert await each.try_acquire("a", LONG) is not None
        for key in ("one/a", "one/:a", "one/:lease:a", "lease:a"):
            assert await lock.try_acquire(key, LONG) is not None
        await lease.release()
        assert await other_lock.scope("one").try_acquire("a", LONG) is not None

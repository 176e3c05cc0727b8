"""What every adapter of worker ids must do (cluster/worker_id/base.py says it in words).

The test module gives fixtures: `pool`, which makes an adapter as another process would have it, with the same
numbers, for a width and a length of lease.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import anyio
import pytest

from atoll.cluster.worker_id import WorkerIdLease, WorkerIds
from atoll.cluster.worker_id.base import IN_ADVANCE, LEAST_BITS
from atoll.errors import LeaseLost, NoWorkerIdFree, WorkerIdLayoutDiffers

LONG = 600.0
Pool = Callable[[int, float], WorkerIds]


@pytest.mark.anyio
class WorkerIdConformance:
    """The suite.

    Attributes:
        holders_end: whether a holder that lives may lose its number by not renewing it.
    """

    holders_end = True

    async def test_each_holder_has_a_number_of_its_own(self, pool: Pool) -> None:
        """Until all are given; then the next is refused, and gets one that was given back."""
        one, two = pool(LEAST_BITS, LONG), pool(LEAST_BITS, LONG)
        leases = [await (one, two)[turn % 2].acquire() for turn in range(32)]
        assert sorted(lease.number for lease in leases) == list(range(32))
        with pytest.raises(NoWorkerIdFree, match="WORKER_ID_BITS=6"):
            await two.acquire()
        await leases[5].release(0)
        assert (await two.acquire()).number == leases[5].number
        with pytest.raises(NoWorkerIdFree):
            await one.acquire()

    async def test_wider(self, pool: Pool) -> None:
        """More numbers than documented, on request."""
        numbers = pool(7, LONG)
        assert {(await numbers.acquire()).number for _ in range(128)} == set(range(128))

    async def test_tokens_grow(self, pool: Pool) -> None:
        """With each lease of a number."""
        numbers = pool(LEAST_BITS, LONG)
        tokens: dict[int, list[int]] = {}
        for _ in range(70):
            lease = await numbers.acquire()
            tokens.setdefault(lease.number, []).append(lease.token)
            await lease.release(0)
        assert all(found == sorted(set(found)) for found in tokens.values())

    async def test_windows_of_a_number_never_meet(self, pool: Pool) -> None:
        """Whatever was used of the window before: nothing, its beginning, or seconds taken in advance."""
        numbers = pool(LEAST_BITS, LONG)
        others = [await numbers.acquire() for _ in range(31)]
        last = 0
        for ahead in (0, 1, 5, 9):
            lease = await numbers.acquire()
            assert lease.number not in {other.number for other in others}
            assert lease.opens > last
            last = max(lease.opens, lease.now()) + ahead
            assert last < lease.ends
            await lease.release(last)

    async def test_renewing_moves_the_end(self, pool: Pool) -> None:
        """Beyond what was used in advance too, and never back."""
        lease = await pool(LEAST_BITS, LONG).acquire()
        before = lease.ends
        await lease.renew(0)
        assert lease.ends >= before
        await lease.renew(before - 1)
        assert lease.ends >= before + IN_ADVANCE
        assert lease.opens <= lease.now() + 2 * LONG + 3

    async def test_the_clock_of_this_process_does_not_matter(
        self, pool: Pool, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Set ten minutes forth and back between leases and renewals; windows never meet all the same."""
        numbers, real = pool(LEAST_BITS, LONG), time.time
        others = [await numbers.acquire() for _ in range(31)]
        used = 0
        for jump in (600, -600, 0, 600, -1200, 0):
            monkeypatch.setattr(time, "time", lambda jump=jump: real() + jump)
            lease = await numbers.acquire()
            assert lease.opens > used
            await lease.renew(0)
            used = max(lease.opens, min(lease.now(), lease.ends - 1))
            await lease.release(used)
        assert len(others) == 31

    async def test_a_lease_ends_by_itself(self, pool: Pool) -> None:
        """Then another gets the number, after the window of the first; the first can no longer renew.

        Unless a holder keeps its number as long as its process lives.
        """
        numbers = pool(LEAST_BITS, 0.3)
        held = [await numbers.acquire() for _ in range(32)]
        with pytest.raises(NoWorkerIdFree):
            await pool(LEAST_BITS, 0.3).acquire()
        if not self.holders_end:
            await anyio.sleep(0.4)
            with pytest.raises(NoWorkerIdFree):
                await pool(LEAST_BITS, 0.3).acquire()
            return
        following = await _when_free(pool(LEAST_BITS, 0.3))
        before = next(lease for lease in held if lease.number == following.number)
        assert following.opens >= before.ends
        with pytest.raises(LeaseLost):
            await before.renew(0)
        await before.release(0)
        await following.renew(0)

    async def test_widths_do_not_mix(self, pool: Pool) -> None:
        """Refused while others hold ids of another width; later, no window of the old one comes again."""
        numbers = pool(LEAST_BITS, LONG)
        lease = await numbers.acquire()
        with pytest.raises(WorkerIdLayoutDiffers, match="WORKER_ID_BITS=5"):
            await pool(8, LONG).acquire()
        await lease.renew(0)
        used = lease.ends - 1
        await lease.release(used)
        await numbers.close()
        wide = pool(8, LONG)
        for _ in range(256):
            assert (await wide.acquire()).opens > used


async def _when_free(numbers: WorkerIds) -> WorkerIdLease:
    with anyio.fail_after(10):
        while True:
            try:
                return await numbers.acquire()
            except NoWorkerIdFree:
                await anyio.sleep(0.02)

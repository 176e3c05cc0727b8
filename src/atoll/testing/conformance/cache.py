"""What every cache adapter must do (cluster/cache/base.py says it in words).

The test module gives a fixture `caches`: twenty caches that see the same values, as twenty processes would
have them. `cache` and `other_cache` are the first two.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from atoll.cluster.cache import Cache
from atoll.cluster.cache.base import LARGEST
from atoll.errors import BloomFilterMissing
from atoll.testing.processes import eventually

PATIENCE = 15.0
SHORT = 0.15
INSTANCES = 20


async def sees(cache: Cache, key: str, value: Any) -> None:
    """Waits until the cache gives the value: a layered one may be a message behind."""

    async def same() -> bool:
        return bool(await cache.get(key) == value)

    await eventually(same, within=PATIENCE, what=f"{key} is {value!r}")


class Filling:
    """A fill that can be watched and held up."""

    def __init__(self, value: Any = "made") -> None:
        self.value = value
        self.calls = 0
        self.begun = asyncio.Event()
        self.go_on = asyncio.Event()

    async def __call__(self) -> Any:
        """The fill; what it gives is what `value` was at its beginning."""
        self.calls += 1
        value = self.value
        self.begun.set()
        await self.go_on.wait()
        return value


@pytest.mark.anyio
class CacheConformance:
    """The suite."""

    @pytest.fixture
    def cache(self, caches: Sequence[Cache]) -> Cache:
        """One process's."""
        return caches[0]

    @pytest.fixture
    def other_cache(self, caches: Sequence[Cache]) -> Cache:
        """Another's."""
        return caches[1]

    async def test_values_come_back_as_they_were(self, cache: Cache, other_cache: Cache) -> None:
        """All kinds, in every process; nothing is shared with what was set."""
        values: dict[str, Any] = {
            "text": "ä 漢 \x00",
            "bytes": b"\x00\xff",
            "number": -(2**53),
            "float": 0.1,
            "none": None,
            "no": False,
            "empty": {},
            "nested": {
                "rows": [{"id": 1, "at": datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC)}],
                "n": [1, [2]],
            },
            "odd key :*?[a]/\\ ": 1,
        }
        for key, value in values.items():
            assert await cache.set(key, value)
        for each in (cache, other_cache):
            for key, value in values.items():
                assert await each.get(key, "missing") == value
        assert await cache.get("nothing") is None
        assert await cache.get("nothing", 5) == 5
        await cache.set("tuple", (1, 2))
        assert await cache.get("tuple") == [1, 2]
        given = await cache.get("nested")
        given["rows"].clear()
        assert await cache.get("nested") == values["nested"]
        with pytest.raises(TypeError):
            await cache.set("object", object())

    async def test_changes_are_seen_everywhere(self, cache: Cache, other_cache: Cache) -> None:
        """Also by those who had read the old value."""
        await cache.set("a", 1)
        assert await other_cache.get("a") == 1
        assert await other_cache.get("a") == 1
        await cache.set("a", 2)
        assert await cache.get("a") == 2
        await sees(other_cache, "a", 2)
        await other_cache.delete("a")
        assert await other_cache.get("a") is None
        await sees(cache, "a", None)
        await cache.delete("a")

    async def test_many_at_once(self, cache: Cache, other_cache: Cache) -> None:
        """What is missing is left out."""
        assert await cache.mset({"a": 1, "b": None, "c": [3]})
        assert await other_cache.mget(["a", "b", "c", "d"]) == {"a": 1, "b": None, "c": [3]}
        assert await other_cache.mget(["c", "d", "a"]) == {"c": [3], "a": 1}
        await cache.mdel(["a", "c", "d"])
        assert await cache.mget(["a", "b", "c"]) == {"b": None}
        await sees(other_cache, "a", None)
        assert await cache.mset({})
        assert await cache.mget([]) == {}
        await cache.mdel([])

    async def test_values_end(self, cache: Cache, other_cache: Cache) -> None:
        """By their ttl, which a new value begins anew."""
        await cache.set("a", 1, SHORT)
        assert await other_cache.get("a") == 1
        await sees(other_cache, "a", None)
        await sees(cache, "a", None)
        assert await cache.ttl("a") is None
        await cache.set("b", 1, SHORT)
        await cache.set("b", 1, 60)
        await asyncio.sleep(SHORT * 2)
        assert await cache.get("b") == 1
        left = await other_cache.ttl("b")
        assert left is not None
        assert 30 < left <= 60
        await cache.set("c", 1)
        left = await cache.ttl("c")
        assert left is not None
        assert not math.isinf(left)

    async def test_a_huge_value_is_not_stored(
        self, cache: Cache, other_cache: Cache, caplog: pytest.LogCaptureFixture
    ) -> None:
        """It is given to who made it, the old one goes, and the log says so."""
        huge = "x" * (LARGEST + 1)
        await cache.set("a", "old")
        assert not await cache.set("a", huge)
        assert await cache.get("a") is None
        assert not await cache.mset({"a": huge, "b": 1})
        assert await cache.mget(["a", "b"]) == {"b": 1}

        async def fill() -> str:
            return huge

        assert await cache.wrap("a", fill) == huge
        assert await other_cache.get("a") is None
        assert "too large" in caplog.text

    async def test_reset_takes_only_its_own(self, cache: Cache, other_cache: Cache) -> None:
        """Neither those of scopes inside nor beside it, whatever their names look like."""
        names = ["one", "one*", "on?", "o[n]e", "one/value", ":value:", "value"]
        scopes = {name: cache.scope(name) for name in names}
        for each in (cache, *scopes.values()):
            await each.mset({"k": 1, "*": 1, "value:k": 1, ":": 1})
        await scopes["one"].reset()
        assert await scopes["one"].mget(["k", "*", "value:k", ":"]) == {}
        await sees(other_cache.scope("one"), "k", None)
        for each in (cache, *(scopes[name] for name in names[1:])):
            assert len(await each.mget(["k", "*", "value:k", ":"])) == 4
        await cache.reset()
        assert await cache.get("k") is None
        assert await scopes["value"].get("k") == 1

    async def test_scopes(self, cache: Cache, other_cache: Cache) -> None:
        """One name: the same values, in one process too. Other names: others. Closing one leaves the rest."""
        one, again, far = cache.scope("one"), cache.scope("one"), other_cache.scope("one")
        two, inner = cache.scope("two"), one.scope("two")
        await one.set("k", 1)
        assert await again.get("k") == await far.get("k") == 1
        assert [await each.get("k") for each in (cache, two, inner)] == [None, None, None]
        await far.set("k", 2)
        await sees(one, "k", 2)
        await sees(again, "k", 2)
        await one.close()
        await one.close()
        await far.set("k", 3)
        await sees(again, "k", 3)

    async def test_many_cold_instances_fill_once(self, caches: Sequence[Cache]) -> None:
        """Twenty processes, ten callers in each: one asks the source, all get its answer."""
        filling = Filling([1, {"a": 2}])
        asking = [asyncio.create_task(each.wrap("k", filling)) for each in caches for _ in range(10)]
        await filling.begun.wait()
        await asyncio.sleep(SHORT)
        filling.go_on.set()
        async with asyncio.timeout(PATIENCE):
            answers = await asyncio.gather(*asking)
        assert filling.calls == 1
        assert answers == [[1, {"a": 2}]] * len(asking)
        answers[0].clear()
        assert answers[1] == await caches[-1].wrap("k", filling) == [1, {"a": 2}]
        assert filling.calls == 1

    async def test_a_wrapped_none_is_a_value(self, cache: Cache, other_cache: Cache) -> None:
        """It is filled once."""
        filling = Filling(None)
        filling.go_on.set()
        assert await cache.wrap("k", filling) is None
        assert await other_cache.wrap("k", filling) is None
        assert await cache.get("k", "missing") is None
        assert filling.calls == 1

    async def test_a_long_fill_is_not_begun_twice(self, cache: Cache, other_cache: Cache) -> None:
        """It renews its lease (the fixture's caches have one of a second at most, or need none)."""
        filling = Filling()
        asking = [asyncio.create_task(each.wrap("k", filling)) for each in (cache, other_cache)]
        await filling.begun.wait()
        await asyncio.sleep(2.5)
        filling.go_on.set()
        assert await asyncio.gather(*asking) == ["made", "made"]
        assert filling.calls == 1

    async def test_a_cancelled_caller_does_not_end_the_fill(self, cache: Cache) -> None:
        """The others get it."""
        filling = Filling()
        first = asyncio.create_task(cache.wrap("k", filling))
        await filling.begun.wait()
        second = asyncio.create_task(cache.wrap("k", filling))
        await asyncio.sleep(0)
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
        filling.go_on.set()
        assert await second == "made"
        assert filling.calls == 1

    async def test_an_error_of_a_fill(self, cache: Cache, other_cache: Cache) -> None:
        """Reaches those who wait in the process; the others try for themselves, and so does the next."""
        failing = Filling()

        async def fail() -> None:
            await failing()
            raise RuntimeError("source")

        async def succeed() -> str:
            return "good"

        asking = [asyncio.create_task(cache.wrap("k", fail)) for _ in range(3)]
        await failing.begun.wait()
        elsewhere = asyncio.create_task(other_cache.scope("x").wrap("k", succeed))
        assert await elsewhere == "good"
        waiting = asyncio.create_task(other_cache.wrap("k2", succeed))
        failing.go_on.set()
        results = await asyncio.gather(*asking, return_exceptions=True)
        assert [str(result) for result in results] == ["source"] * 3
        assert failing.calls == 1
        async with asyncio.timeout(PATIENCE):
            assert await waiting == "good"
            assert await other_cache.wrap("k", succeed) == "good"
            assert await cache.wrap("k", succeed) == "good"

    @pytest.mark.parametrize("change", ["delete", "set", "mset", "mdel", "reset"])
    @pytest.mark.parametrize("where", ["here", "there"])
    async def test_what_was_read_before_a_change_is_not_stored(
        self, cache: Cache, other_cache: Cache, change: str, where: str
    ) -> None:
        """A fill under way is overtaken; who asks afterwards gets the new value, and it stays."""
        filling = Filling("old")
        old = asyncio.create_task(cache.wrap("k", filling))
        await filling.begun.wait()
        changing = cache if where == "here" else other_cache
        new: Any = "new"
        if change == "delete":
            await changing.delete("k")
        elif change == "mdel":
            await changing.mdel(["j", "k"])
        elif change == "reset":
            await changing.reset()
        elif change == "set":
            await changing.set("k", new)
        else:
            await changing.mset({"j": 1, "k": new})
        filling.value = new
        later = [asyncio.create_task(each.wrap("k", filling)) for each in (cache, other_cache)]
        await asyncio.sleep(SHORT)
        filling.go_on.set()
        async with asyncio.timeout(PATIENCE):
            assert await old in {"old", "new"}
            assert await asyncio.gather(*later) == ["new", "new"]
        assert await cache.get("k") == "new"
        await sees(other_cache, "k", "new")

    async def test_conditions(self, cache: Cache, other_cache: Cache) -> None:
        """What is not worth keeping is not kept, and those who wait fill for themselves at once."""
        filling = Filling("")

        def worth(value: Any) -> bool:
            return bool(value)

        asking = [
            asyncio.create_task(each.wrap_with_condition("k", filling, is_cacheable=worth))
            for each in (cache, other_cache)
        ]
        await filling.begun.wait()
        await asyncio.sleep(SHORT)
        filling.go_on.set()
        async with asyncio.timeout(PATIENCE):
            assert await asyncio.gather(*asking) == ["", ""]
        assert await cache.get("k", "missing") == "missing"
        filling.value = None
        assert await cache.wrap_with_condition("n", filling) is None
        assert await cache.get("n", "missing") == "missing"
        filling.value = "kept"
        assert await cache.wrap_with_condition("n", filling, is_cacheable=worth) == "kept"
        filling.value = "fresh"
        assert await cache.wrap_with_condition("m", filling) == "fresh"
        assert await other_cache.wrap_with_condition("m", filling, use_cache=False) == "fresh"
        filling.value = "newer"
        assert await other_cache.wrap_with_condition("m", filling, use_cache=False) == "newer"
        assert await other_cache.wrap_with_condition("m", filling) == "fresh"

    async def test_closing_ends_fills(self, caches: Sequence[Cache]) -> None:
        """Nobody is left waiting, and the next filler need not wait."""
        closing = caches[-1].scope("closing")
        filling = Filling()
        asking = asyncio.create_task(closing.wrap("k", filling))
        await filling.begun.wait()
        async with asyncio.timeout(PATIENCE):
            await closing.close()
            assert isinstance(
                (await asyncio.gather(asking, return_exceptions=True))[0], asyncio.CancelledError
            )
            filling.go_on.set()
            assert await caches[0].scope("closing").wrap("k", filling) == "made"

    async def test_counters(self, caches: Sequence[Cache]) -> None:
        """All increments of all processes add up, and end together."""
        each = [cache.scope("c").counters for cache in caches]
        await asyncio.gather(*(one.increment("n", ttl=60) for one in each for _ in range(5)))
        assert await each[0].get("n") == len(caches) * 5
        assert await each[1].increment("n", -40, ttl=60) == len(caches) * 5 - 40
        left = await each[0].ttl("n")
        assert left is not None
        assert 30 < left <= 60
        await each[1].reset("n")
        assert await each[0].get("n") == 0
        assert await each[0].ttl("n") is None
        assert await each[0].increment("short", ttl=SHORT) == 1

        async def ended() -> bool:
            return await each[0].increment("short", 0, ttl=SHORT) == 0

        await eventually(ended, within=PATIENCE, what="the counter ends though it is touched")
        assert await caches[0].counters.get("n") == 0

    async def test_bloom_filters(self, cache: Cache, other_cache: Cache) -> None:
        """Nothing that was added is missed; mistakes are as rare as was asked for."""
        here, there = cache.blooms, other_cache.blooms
        with pytest.raises(BloomFilterMissing):
            await here.exists("f", "a")
        with pytest.raises(BloomFilterMissing):
            await here.add("f", "a")
        assert await here.reserve("f", 0.01, 3000)
        assert not await there.reserve("f", 0.5, 10)
        added = [f"item {number}" for number in range(3000)]
        new = await here.madd("f", added)
        assert 3000 * 0.97 < sum(new) <= 3000
        assert await there.mexists("f", added) == [True] * 3000
        assert await there.madd("f", added[:10]) == [False] * 10
        others = await there.mexists("f", [f"other {number}" for number in range(3000)])
        assert sum(others) / 3000 < 0.02, "the bound is 0.01"
        assert await here.add("f", "ä 漢")
        assert await there.exists("f", "ä 漢")
        await here.delete("f")
        await here.delete("f")
        with pytest.raises(BloomFilterMissing):
            await there.exists("f", "a")
        for rate, capacity in ((0, 10), (1, 10), (0.1, 0), (0.0001, 10**12)):
            with pytest.raises(ValueError, match="Bloom filter"):
                await here.reserve("g", rate, capacity)

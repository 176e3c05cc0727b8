"""What apps' visitors ask for: counted in the environment, put together by the Supervisor."""

from __future__ import annotations

import time
from datetime import datetime
from math import nan
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from proxy_kit import StaticRouter, client, gateway, local_app

from atoll.supervisor.identity import KeyPair
from atoll.supervisor.routing import Local
from atoll.supervisor.sealing import PairSealer
from atoll.supervisor.traffic import (
    BUCKETS,
    SLOT_SECONDS,
    SLOTS,
    Figures,
    Report,
    Traffic,
    bounds,
    bucket_of,
    percentile,
    summed,
)
from atoll.testing.supervisor_scene import Scene, scene

pytestmark = pytest.mark.anyio


class Clock:
    now = 1000 * SLOT_SECONDS

    def __call__(self) -> float:
        return self.now


def figures(traffic: Traffic, app: str = "crm") -> Figures | None:
    return traffic.report("env_a", "1", {app: "uid"}).apps.get("uid")


# --- counting


@given(st.floats(0, 10_000))
def test_each_time_has_its_bucket(seconds: float) -> None:
    bucket = bucket_of(seconds)
    low, high = bounds(bucket)
    assert 0 <= bucket < BUCKETS
    assert low <= int(seconds * 1e6)
    assert int(seconds * 1e6) < high or bucket == BUCKETS - 1


@given(st.lists(st.floats(0, 60), min_size=1, max_size=300))
def test_a_percentile_is_as_exact_as_a_bucket(times: list[float]) -> None:
    counted = [0] * BUCKETS
    for each in times:
        counted[bucket_of(each)] += 1
    exact = sorted(times)[max(0, -(-len(times) * 95 // 100) - 1)]
    low, high = bounds(bucket_of(exact))
    assert low <= percentile(counted, 0.95) <= high


def test_requests_errors_and_times_by_slot() -> None:
    clock = Clock()
    traffic = Traffic(clock)
    traffic.note("crm", 0.010, 200)
    traffic.note("crm", 0.010, 499)
    clock.now += SLOT_SECONDS
    for _ in range(18):
        traffic.note("crm", 0.001, 200)
    traffic.note("crm", 1.0, 500)
    found = figures(traffic)
    assert found is not None
    assert (found.requests[-2:], found.errors[-2:]) == ([2, 19], [0, 1])
    assert sum(found.requests[:-2]) == 0
    assert sum(found.times) == 21
    assert 8192 <= found.slow[-2] <= 12288
    assert 786432 <= found.slow[-1] <= 1048576


def test_what_is_older_than_the_window_is_forgotten() -> None:
    clock = Clock()
    traffic = Traffic(clock)
    traffic.note("crm", 0.010, 500)
    clock.now += (SLOTS - 1) * SLOT_SECONDS
    found = figures(traffic)
    assert found is not None
    assert found.requests[0] == 1
    traffic.note("crm", 0.010, 200)
    clock.now += SLOT_SECONDS
    found = figures(traffic)
    assert found is not None
    assert (sum(found.requests), sum(found.errors), sum(found.times)) == (1, 0, 1)
    clock.now += 10 * SLOTS * SLOT_SECONDS
    assert figures(traffic) is None
    assert figures(traffic) is None
    traffic.note("crm", 0.010, 200)
    traffic.note("gone", 0.010, 200)
    assert set(traffic.report("env_a", "1", {"crm": "uid"}).apps) == {"uid"}
    assert not traffic.report("env_a", "1", {"gone": "uid"}).apps, "an app of that name is another one"


def test_the_last_request_is_remembered_longer_than_the_window() -> None:
    clock = Clock()
    traffic = Traffic(clock)
    traffic.note("crm", 0.010, 200)
    clock.now += 5 * SLOTS * SLOT_SECONDS
    ago = 5 * SLOTS * SLOT_SECONDS
    for _ in range(2):
        report = traffic.report("env_a", "1", {"crm": "uid"})
        assert not report.apps
        assert report.last["uid"] == pytest.approx(time.time() - ago, abs=60)
    traffic.note("crm", 0.010, 200)
    assert traffic.report("env_a", "1", {"crm": "uid"}).last["uid"] == pytest.approx(time.time(), abs=60)
    assert traffic.report("env_a", "1", {}).last == {}
    assert traffic.report("env_a", "1", {"crm": "other"}).last == {}, "an app of that name is another one"


def test_memory_by_slot() -> None:
    clock = Clock()
    traffic = Traffic(clock)
    traffic.report("env_a", "1", {}, 5)
    clock.now += 2 * SLOT_SECONDS
    report = traffic.report("env_a", "1", {}, 7)
    assert report.memory == 7
    assert list(report.memories) == [0] * (SLOTS - 3) + [5, 0, 7]


def test_instances_together() -> None:
    one = Figures([1] * SLOTS, [0] * SLOTS, [5] * SLOTS, [2] * BUCKETS)
    two = Figures([2] * SLOTS, [1] * SLOTS, [3] * SLOTS, [1] * BUCKETS)
    assert summed([one, two]) == Figures([3] * SLOTS, [1] * SLOTS, [5] * SLOTS, [3] * BUCKETS)
    assert summed([]) == Figures([0] * SLOTS, [0] * SLOTS, [0] * SLOTS, [0] * BUCKETS)


# --- in the gateway


async def fails(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 503, "headers": [(b"content-length", b"0")]})
    await send({"type": "http.response.body", "body": b""})


async def test_answers_of_local_apps_are_counted_and_nothing_else() -> None:
    traffic = Traffic()
    apps = StaticRouter({name: Local(local_app, name) for name in ("main", "crm")})
    apps.routes["bad"] = Local(fails, "bad")
    async with gateway(apps, traffic=traffic) as running, client(running) as user:
        for path in ("/api/__app/crm/x", "/api/__app/crm/__health_check", "/api/x", "/api/__app/none/x"):
            await user.get(path)
        await user.get("/api/__app/bad/x")
    apps_found = traffic.report(
        "env_a", "1", {"crm": "crm", "bad": "bad", "main": "main", "none": "none"}
    ).apps
    assert {uid: (sum(f.requests), sum(f.errors)) for uid, f in apps_found.items()} == {
        "crm": (1, 0),
        "bad": (1, 1),
    }


# --- at the Supervisor


async def shown(s: Scene, name: str, requests: int) -> dict[str, Any]:
    """Waits until that many requests are shown."""
    found: dict[str, Any] = {}

    def enough() -> bool:
        row = s.supervisor.get_app(name)
        found.update(row["traffic"] if row is not None else {})
        return found.get("requests") == requests

    await s.until(enough)
    return found


@pytest.mark.parametrize("way", ["memory", "redis"])
async def test_figures_of_all_environments_are_shown(
    tmp_path: Path, way: str, request: pytest.FixtureRequest
) -> None:
    url = request.getfixturevalue("redis_url") if way == "redis" else None
    async with scene(tmp_path, "env_a", "env_b", redis_url=url) as s:
        name = await s.running_app("env_a", "env_b")
        row = s.supervisor.get_app(name)
        assert row is not None
        assert (row["traffic"]["requests"], row["traffic"]["p95"], row["traffic"]["errorRate"]) == (
            0,
            None,
            None,
        )
        assert row["traffic"]["lastRequestAt"] is None
        for _ in range(3):
            s.environments["env_a"].traffic.note(name, 0.010, 200)
        s.environments["env_b"].traffic.note(name, 0.020, 500)
        found = await shown(s, name, 4)
        assert (found["errors"], found["errorRate"], found["perMinute"]) == (1, 0.25, 0.8)
        assert 16 <= found["p95"] <= 25
        assert sum(found["series"]["requests"]) == 4
        assert {each: part["requests"] for each, part in found["environments"].items()} == {
            "env_a": 3,
            "env_b": 1,
        }
        assert all(len(series) == SLOTS for series in found["series"].values())
        assert found["memory"] == sum(part["memory"] for part in found["environments"].values())
        assert found["memory"] > 1_000_000
        last = found["lastRequestAt"]
        assert datetime.fromisoformat(last).timestamp() == pytest.approx(time.time(), abs=60)
        await s.stop(s.environments["env_b"])
        found = await shown(s, name, 3)
        assert found["lastRequestAt"] == last, "what an instance told stays true when it is gone"


async def test_reports_of_others_are_not_believed(tmp_path: Path, redis_url: str) -> None:
    async with scene(tmp_path, "env_a", redis_url=redis_url) as s:
        name = await s.running_app("env_a")
        environment = s.environments["env_a"]
        uid = next(app.model.uid for app in environment.apps)
        environment.traffic.note(name, 0.010, 200)
        await shown(s, name, 1)
        full = Figures([9] * SLOTS, [9] * SLOTS, [9] * SLOTS, [9] * BUCKETS)
        short = Figures([9], [], [], [9] * BUCKETS)
        announcement = environment._announcer._announcement
        assert announcement is not None
        await environment._tasks.cancel_all()  # it writes no reports of its own any more
        for keys, report in (
            (KeyPair.generate(), Report("env_a", environment.instance, {uid: full})),
            (environment._sealer.keys, Report("env_b", environment.instance, {uid: full})),
            (environment._sealer.keys, Report("env_a", environment.instance, {uid: short})),
            (environment._sealer.keys, Report("env_a", environment.instance, {uid: full}, last={uid: nan})),
        ):
            body = PairSealer(keys).wrap("traffic", msgspec.msgpack.encode(report))
            await announcement.write_traffic(body)
            await s.supervisor._traffic.look()
            row = s.supervisor.get_app(name)
            assert row is not None
            assert row["traffic"]["requests"] == 0
        await announcement.write_traffic(b"nonsense")
        await s.supervisor._traffic.look()

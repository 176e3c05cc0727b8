"""Runs with random faults: their order, whose fault a failed request is, and the report."""

from __future__ import annotations

import contextlib
import random
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from atoll.testing.fault_run import Fault, FaultLog, Happened, Report, Requests, faults_until
from atoll.testing.fault_run.faults import EVERYBODY
from atoll.testing.fault_run.report import KindOfFault

pytestmark = pytest.mark.anyio
INSTANCES = {"10.0.0.1:1": "a", "10.0.0.2:1": "b"}


def _fault(name: str, injected: list[str]) -> Fault:
    @contextlib.asynccontextmanager
    async def inject(chance: random.Random) -> AsyncIterator[str]:
        injected.append(name)
        yield "a"

    return Fault(name, inject, (0.0, 0.001))


async def _order(seed: int) -> list[str]:
    injected: list[str] = []
    log = FaultLog()

    async def recovered() -> None:
        return None

    deadline = time.time() + 20
    faults = [_fault(name, injected) for name in "pqrst"]
    running = faults_until(deadline, faults, log, random.Random(seed), recovered=recovered, calm=(0, 0.001))
    async with contextlib.aclosing(running) as entries:
        async for _ in entries:
            if len(injected) == 10:
                break
    assert all(each.hurts == "a" and each.recovered is not None for each in log.happened)
    return injected


async def test_the_seed_decides_the_order_and_each_round_has_each_kind() -> None:
    first = await _order(1)
    assert first == await _order(1)
    assert first != await _order(2)
    assert sorted(first[:5]) == sorted(first[5:]) == list("pqrst")


async def test_only_who_was_hurt_is_excused() -> None:
    now = time.time()
    log = FaultLog([Happened("kill", "a", now - 5, now - 4, now + 60)])

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/api/cut":
            raise httpx.ReadError("cut")
        asked = {"/api/a": "10.0.0.1:1", "/api/b": "10.0.0.1:1, 10.0.0.2:1", "/api/none": "atoll"}
        body = {"errors": [{"code": "WRONG"}]}
        return httpx.Response(502, json=body, headers={"X-Instance": asked[request.url.path]})

    requests = Requests(INSTANCES, log)
    async with httpx.AsyncClient(transport=httpx.MockTransport(answer), base_url="http://x") as http:
        for path in ("a", "b", "none", "cut"):
            assert await requests.send(http, "GET", f"/api/{path}?x=1") is None
    assert [(each.what, each.who) for each in requests.blamed()] == [("b", "b"), ("none", "atoll")]
    assert requests.reasons() == {"502 WRONG": 3, "ReadError": 1}
    assert requests.between(now - 1, time.time()) == 4
    log.happened[0].recovered = now - 3
    assert len(requests.blamed()) == 4
    log.happened.append(Happened("database", EVERYBODY, now, now + 1, now + 60))
    assert requests.blamed() == [], "while everybody is hurt nobody is to blame"


def _report(**more: object) -> Report:
    faults = [KindOfFault("kill", 2, [0.5, 2.5], 100, 3, 0)]
    values: dict[str, object] = dict.fromkeys(Report.__struct_fields__, 0)
    values |= dict.fromkeys(("date", "machine", "queue", "instances", "note"), "x")
    values |= {name: [] for name in ("blamed", "tasks_wrong", "stale", "ticks_wrong", "not_recovered")}
    return Report(**{**values, "seconds": 10.0, "failed": {}, "faults": faults, **more})  # type: ignore[arg-type]


def test_a_report_says_what_must_not_be() -> None:
    assert _report().failures == []
    assert _report(jobs_twice=5).failures == []
    for name in (
        "jobs_lost",
        "effects_twice",
        "jobs_unexplained",
        "writes_lost",
        "writes_twice",
        "ids_repeated",
    ):
        assert len(_report(**{name: 1}).failures) == 1
    for name in ("blamed", "tasks_wrong", "stale", "ticks_wrong", "not_recovered"):
        report = _report(**{name: ["why"]})
        assert report.failures == ["why"]
        assert "wrong: why" in report.text()


def test_the_page_has_each_report_as_it_was_printed(tmp_path: Path) -> None:
    folder = tmp_path / "runs"
    for queue in ("Redis", "RabbitMQ"):
        _report(queue=queue).save(folder / f"{queue}.json")
    subprocess.run([sys.executable, "-m", "atoll.testing.fault_run", str(folder)], check=True)
    page = (tmp_path / "runs.md").read_text()
    assert page.index("## Queue on RabbitMQ") < page.index("## Queue on Redis")
    assert _report(queue="Redis").text() in page
    assert "| kill  | 2        | 1.5 s" in page

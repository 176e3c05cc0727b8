"""F13-F43, F60-F63, F73 at once: three instances behind nginx, at work while faults come at random."""

from __future__ import annotations

import faulthandler
import os
import secrets
from pathlib import Path
from typing import Any

import pytest

from atoll.testing.deployment import PostgresAddress
from atoll.testing.fault_run import Report
from atoll.testing.services import ServiceMissing, find_nginx

from .conftest import Say
from .drill_run import Run
from .drill_site import site
from .redis_process import RedisProcess

pytestmark = pytest.mark.anyio
SHORT_SECONDS, SHORT_SEED, SHORT_PAUSE = 62.0, 1, (21.0, 22.0)
LONG_PAUSE = (31.0, 36.0)  # longer than the lease of an item of the queue, and of a worker id
SHORT_RATE, LONG_RATE = 60.0, 300.0


@pytest.fixture(scope="module", autouse=True)
def nginx() -> None:
    try:
        find_nginx()
    except ServiceMissing as error:
        if os.environ.get("CI") == "true":
            pytest.fail(str(error))
        pytest.skip(str(error))


async def test_a_minute_of_faults(
    tmp_path: Path,
    postgres: PostgresAddress,
    own_redis: RedisProcess,
    request: pytest.FixtureRequest,
    say: Say,
) -> None:
    async with site(tmp_path, postgres, own_redis, None, "atoll_drill") as here:
        run = Run(here, seconds=SHORT_SECONDS, seed=SHORT_SEED, rate=SHORT_RATE)
        _judge(await run.run(here.faults(SHORT_PAUSE)), request.config, say)


@pytest.mark.slow
@pytest.mark.parametrize("queue", ["redis", "rabbitmq"])
async def test_random_faults(
    queue: str,
    tmp_path: Path,
    postgres: PostgresAddress,
    own_redis: RedisProcess,
    request: pytest.FixtureRequest,
    say: Say,
) -> None:
    rabbitmq = request.getfixturevalue("own_rabbitmq") if queue == "rabbitmq" else None
    options = request.config.option
    # The limit for a test that hangs is shorter than this one takes.
    faulthandler.dump_traceback_later(options.fault_seconds + 600, exit=True, file=2)
    seed = secrets.randbelow(1_000_000) if options.fault_seed is None else options.fault_seed
    async with site(tmp_path, postgres, own_redis, rabbitmq, "atoll_drill") as here:
        run = Run(here, seconds=options.fault_seconds, seed=seed, rate=LONG_RATE)
        _judge(await run.run(here.faults(LONG_PAUSE)), request.config, say)


def _judge(report: Report, config: Any, say: Say) -> None:
    for line in report.text().splitlines():
        say(line)
    folder = config.option.fault_reports
    if folder is not None:
        report.save(folder / f"{report.queue.lower()}.json")
    assert not report.failures, "\n".join(report.failures[:40])

"""F13 at full length: a loop blocked for 30 s with the default lease."""

from __future__ import annotations

from pathlib import Path

import pytest

from atoll.testing.deployment import PostgresAddress

from .blocking import instrumented, watch_blocked
from .conftest import Say
from .redis_process import RedisProcess

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

BLOCK = 30.0


async def test_default_lease_survives_a_block_of_30_seconds(
    tmp_path: Path, postgres: PostgresAddress, own_redis: RedisProcess, say: Say
) -> None:
    async with instrumented(tmp_path, own_redis, postgres, BLOCK_SECONDS=f"{BLOCK:g}") as running:
        await running.client.create_app("watched", ["env_a"])
        lag = await watch_blocked(running, running.workers["env_a"], BLOCK)
    say(
        f"env_a's loop blocked {BLOCK:g} s with the default lease: never offline,"
        f" largest lag shown {lag:.1f} s"
    )

"""Whether environments answer at their addresses."""

from __future__ import annotations

from pathlib import Path

import pytest
from proxy_kit import StaticRouter, gateway

from atoll.errors import EnvironmentUnknown
from atoll.supervisor.reach import reach
from atoll.testing.processes import free_port
from atoll.testing.supervisor_scene import scene

pytestmark = pytest.mark.anyio


async def test_an_environment_answers_with_status_and_time() -> None:
    async with gateway(StaticRouter({})) as running:
        address = f"http://127.0.0.1:{running.port}"
        found = await reach(address + "/")
    assert found == {
        "address": address + "/",
        "status": 200,
        "milliseconds": found["milliseconds"],
        "message": "",
    }
    assert 0 <= found["milliseconds"] < 5_000


@pytest.mark.parametrize("address", ["http://127.0.0.1:{port}", "http://[", "nonsense"])
async def test_no_answer_is_a_finding_with_a_reason(address: str) -> None:
    found = await reach(address.format(port=free_port()))
    assert found["status"] is None
    assert found["message"]


async def test_only_environments_that_are_known_are_asked(tmp_path: Path) -> None:
    async with scene(tmp_path, "env_a") as s:
        row = s.supervisor.get_environment("env_a")
        assert row is not None
        found = await s.supervisor.test_environment("env_a")
        assert found["url"]["address"] == row["url"]
        assert found["proxyUrl"]["address"] == row["proxyUrl"]
        with pytest.raises(EnvironmentUnknown):
            await s.supervisor.test_environment("http://127.0.0.1:22")

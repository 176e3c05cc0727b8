"""F62: an environment is taken out of service and brought back, with real processes and the command."""

from __future__ import annotations

import subprocess
import sys

import anyio.to_thread
import httpx
import pytest

from atoll.testing.client import CallFailed
from atoll.testing.deployment import Deployment
from atoll.testing.processes import ServerProcess, eventually

from .conftest import Say

pytestmark = pytest.mark.anyio


async def readiness(server: ServerProcess) -> tuple[int, str]:
    async with httpx.AsyncClient(base_url=server.url, timeout=20, trust_env=False) as http:
        assert (await http.get("/api/__health_check")).status_code == 200, "it lives all the time"
        answer = await http.get("/api/__ready")
        return answer.status_code, answer.json()["status"]


async def command(deployment: Deployment, *words: str) -> str:
    """`atoll env ...`, as a person types it."""
    token = deployment.client.http.headers["Authorization"].removeprefix("Bearer ")
    given = ["--url", deployment.supervisor.url, "--token", token]

    def run() -> str:
        line = [sys.executable, "-m", "atoll", "env", *words, *given]
        return subprocess.run(line, check=True, capture_output=True, text=True).stdout

    return await anyio.to_thread.run_sync(run)


def answered(server: ServerProcess, app: str) -> int:
    """How many requests for an app this server has noted."""
    files = (server.folder / "storage" / "logs" / app).glob("request_*.log")
    return sum(file.read_text("utf-8").count("app:getInfo") for file in files)


async def test_out_of_service_and_back(deployment: Deployment, say: Say) -> None:
    client, drained = deployment.client, deployment.workers["env_a"]
    await client.create_app("moved", ["env_a", "env_b"])

    async def becomes(code: int, status: str) -> None:
        async def is_so() -> bool:
            return await readiness(drained) == (code, status)

        await eventually(is_so, within=30, what=f"env_a says {status}")

    async def ask(times: int) -> dict[str, int]:
        before = {name: answered(worker, "moved") for name, worker in deployment.workers.items()}
        for _ in range(times):
            client.http.cookies.clear()  # which would keep this visitor where it was last
            assert (await client.ask("moved")).status_code == 200

        async def noted() -> bool:
            return sum(answered(worker, "moved") - before[name] for name, worker in workers) >= times

        workers = deployment.workers.items()
        await eventually(noted, within=20, what="the requests are noted")
        return {name: answered(worker, "moved") - before[name] for name, worker in workers}

    await becomes(200, "ready")
    await command(deployment, "drain", "env_a")
    assert "draining" in await command(deployment, "list")
    assert (await client.environments())["env_a"]["draining"]
    shares = await ask(12)
    assert shares == {"env_a": 0, "env_b": 12}
    await becomes(503, "draining")
    with pytest.raises(CallFailed) as refused:
        await client.create_app("late", ["env_a"], wait=None)
    assert refused.value.code == "ENVIRONMENT_DRAINING"
    await drained.kill()
    drained.spawn()
    await drained.until_healthy()
    await becomes(503, "draining")
    await command(deployment, "undrain", "env_a")
    assert not (await client.environments())["env_a"]["draining"]
    await becomes(200, "ready")
    await client.wait_environments({"env_a": True})

    async def asked_again() -> bool:
        return (await ask(4))["env_a"] > 0

    await eventually(asked_again, within=60, what="requests go to env_a again")
    say(f"12 requests while env_a drained: {shares}; afterwards it was asked again")

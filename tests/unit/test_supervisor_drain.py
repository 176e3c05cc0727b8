"""F62: an environment that drains, over memory and over Redis, with apps that are toys."""

from __future__ import annotations

from pathlib import Path

import pytest

from atoll.errors import EnvironmentUnknown, PreflightFailed
from atoll.supervisor.routing import Forward
from atoll.supervisor.worker import Environment
from atoll.testing.supervisor_scene import PATIENCE, Scene, scene

pytestmark = pytest.mark.anyio


@pytest.fixture(params=["memory", "redis"])
def way(request: pytest.FixtureRequest) -> str | None:
    """What lies between Supervisor and environments: None is memory, else the address of Redis."""
    return str(request.getfixturevalue("redis_url")) if request.param == "redis" else None


def places(s: Scene, app: str, environment: str | None = None) -> set[str]:
    """Where a request would be sent."""
    route = s.router.route(app, environment)
    assert isinstance(route, Forward)
    return {target.environment for target in route.targets}


async def told(environment: Environment, draining: bool) -> None:
    """Waits until the environment knows it."""
    assert await environment.changes.until(lambda: environment.draining == draining, PATIENCE)


async def test_requests_go_elsewhere_and_come_back(tmp_path: Path, way: str | None) -> None:
    async with scene(tmp_path, "env_a", "env_b", redis_url=way) as s:
        await s.supervisor.create_app({"name": "both", "environments": ["env_a", "env_b"]})
        await s.supervisor.create_app({"name": "alone", "environments": ["env_a"]})
        await s.reaches("both", "running")
        await s.reaches("alone", "running")
        assert places(s, "both") == {"env_a", "env_b"}
        row = await s.supervisor.drain_environment("env_a", wanted=True)
        assert row["draining"]
        assert places(s, "both") == {"env_b"}
        assert places(s, "both", "env_a") == {"env_a"}, "who asks for it by name still gets there"
        assert places(s, "alone") == {"env_a"}, "what runs nowhere else goes on"
        await told(s.environments["env_a"], True)
        assert not s.environments["env_b"].draining
        row = await s.supervisor.drain_environment("env_a", wanted=False)
        assert not row["draining"]
        assert places(s, "both") == {"env_a", "env_b"}
        await told(s.environments["env_a"], False)
        assert s.world.happened.count("env_a start both") == 1, "nothing was started or stopped for it"


async def test_no_app_is_newly_placed_there(tmp_path: Path, way: str | None) -> None:
    async with scene(tmp_path, "env_a", "env_b", redis_url=way) as s:
        await s.supervisor.create_app({"name": "shop", "environments": ["env_b"]})
        await s.reaches("shop", "running")
        await s.supervisor.drain_environment("env_a", wanted=True)
        with pytest.raises(PreflightFailed) as refused:
            await s.supervisor.create_app({"name": "more", "environments": ["env_a"]})
        assert refused.value.problems[0]["code"] == "ENVIRONMENT_DRAINING"
        with pytest.raises(PreflightFailed):
            await s.supervisor.update_app("shop", {"environments": ["env_a", "env_b"]})
        await s.supervisor.create_app({"name": "more"})
        await s.reaches("more", "running")
        assert places(s, "more") == {"env_b"}, "the only one in service"
        with pytest.raises(EnvironmentUnknown):
            await s.supervisor.drain_environment("env_x", wanted=True)


async def test_it_drains_until_somebody_ends_it(tmp_path: Path, way: str | None) -> None:
    """Whoever is started again in between; another Supervisor knows it from the store."""
    async with scene(tmp_path, "env_a", redis_url=way) as s:
        await s.supervisor.drain_environment("env_a", wanted=True)
        await told(s.environments["env_a"], True)
        await s.stop(s.environments["env_a"])
        again = await s.environment("env_a")
        assert again.draining, "already when it starts"
        await s.stop(s.supervisor)
        s.supervisor = s.new_supervisor()
        await s.supervisor.start()
        row = s.supervisor.get_environment("env_a")
        assert row is not None
        assert row["draining"]
        await s.supervisor.drain_environment("env_a", wanted=False)
        await told(again, False)

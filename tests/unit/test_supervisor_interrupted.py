"""Environments and Supervisors that end in the middle of something, and what must be the case afterwards."""

from __future__ import annotations

import asyncio
import gc
from pathlib import Path
from typing import Any

import pytest

from atoll.supervisor.models import Finding
from atoll.supervisor.supervisor import Supervisor
from atoll.supervisor.worker import Environment
from atoll.testing.processes import eventually
from atoll.testing.supervisor_scene import PATIENCE, Scene, scene

pytestmark = pytest.mark.anyio


async def crash(made: Scene, environment: Environment) -> None:
    """Ends an environment where it is: nothing more is done, nothing said."""
    for app in environment.apps:
        if app._task is not None:
            app._runtime = None
            app._task.cancel()
            await asyncio.gather(app._task, return_exceptions=True)
    await environment._tasks.cancel_all()
    announcement: Any = environment._announcer._announcement
    await announcement.withdraw()
    made._open.pop(environment)


@pytest.mark.parametrize("step", ["provision", "install", "start"])
async def test_killed_while_creating(tmp_path: Path, step: str) -> None:
    async with scene(tmp_path, "env_a") as s:
        gate = s.world.hold[f"{step} shop"] = asyncio.Event()
        await s.supervisor.create_app({"name": "shop", "environments": ["env_a"]})
        await s.until(lambda: f"env_a {step} shop" in s.world.happened)
        assert s.status("shop") != "running"
        await crash(s, s.environments["env_a"])
        gate.set()
        await s.environment("env_a")
        await s.reaches("shop", "running")
        assert len(s.world.databases) == 1
        assert await s.supervisor.remove_app("shop", remove_database=True)
        assert s.world.databases == {}


@pytest.mark.parametrize("step", ["provision", "install", "start"])
async def test_killed_while_creating_and_then_removed(tmp_path: Path, step: str) -> None:
    async with scene(tmp_path, "env_a") as s:
        gate = s.world.hold[f"{step} shop"] = asyncio.Event()
        await s.supervisor.create_app({"name": "shop", "environments": ["env_a"]})
        await s.until(lambda: f"env_a {step} shop" in s.world.happened)
        await crash(s, s.environments["env_a"])
        removal = asyncio.create_task(s.supervisor.remove_app("shop"))
        gate.set()
        await s.environment("env_a")
        _ = await removal
        await s.reaches("shop", None)
        # What was never installed leaves nothing; what was is kept unless asked otherwise.
        assert list(s.world.databases.values()) == ([True] if step == "start" else [])
        await s.running_app("env_a", name="shop")


@pytest.mark.parametrize("step", ["stop", "drop"])
async def test_killed_while_removing(tmp_path: Path, step: str) -> None:
    async with scene(tmp_path, "env_a") as s:
        name = await s.running_app("env_a")
        gate = s.world.hold[f"{step} {name}"] = asyncio.Event()
        removal = asyncio.create_task(s.supervisor.remove_app(name, remove_database=True))
        await s.until(lambda: f"env_a {step} {name}" in s.world.happened)
        await crash(s, s.environments["env_a"])
        gate.set()
        await s.environment("env_a")
        _ = await removal
        await s.reaches(name, None)
        assert s.world.databases == {}
        assert await s.store.apps() == []


async def test_killed_while_stopping(tmp_path: Path) -> None:
    async with scene(tmp_path, "env_a") as s:
        name = await s.running_app("env_a")
        gate = s.world.hold[f"stop {name}"] = asyncio.Event()
        await s.supervisor.stop_app(name)
        await s.until(lambda: f"env_a stop {name}" in s.world.happened)
        await crash(s, s.environments["env_a"])
        gate.set()
        await s.environment("env_a")
        await s.reaches(name, "stopped")
        assert s.world.count(f"env_a start {name}") == 1


async def test_the_supervisor_ends_right_after_saving(tmp_path: Path) -> None:
    async with scene(tmp_path, "env_a", "env_b") as s:
        kept = await s.running_app("env_a")
        gone = await s.running_app("env_a", "env_b")
        stopped = await s.running_app("env_b")
        deaf = _deaf(s.supervisor)
        await deaf.create_app({"name": "late", "environments": ["env_a"]})
        await deaf.stop_app(stopped)
        removal = asyncio.create_task(deaf.remove_app(gone, remove_database=True))
        await s.until(
            lambda: (record := deaf.directory.app(gone)) is not None and record.desired == "removed"
        )
        removal.cancel()
        await s.stop(deaf)
        s.supervisor = s.new_supervisor()
        await s.supervisor.start()
        await s.reaches("late", "running")
        await s.reaches(stopped, "stopped")
        await s.reaches(gone, None)
        assert s.status(kept) == "running"
        assert len(s.world.databases) == 3


def _deaf(supervisor: Supervisor) -> Supervisor:
    """A Supervisor that saves what it is told, and ends before it could tell anybody."""

    async def nothing(*_: object) -> None:
        await asyncio.Event().wait()

    supervisor._reconciler._push = nothing  # type: ignore[method-assign, assignment]
    supervisor._reconciler.compare = nothing  # type: ignore[method-assign]
    return supervisor


async def test_orders_that_cross_each_other_end_in_the_last_one(tmp_path: Path) -> None:
    async with scene(tmp_path, "env_a", "env_b") as s:
        name = await s.running_app("env_a", "env_b")
        for last in ("stop", "start") * 5:
            for action in ("stop", "start", "stop", "restart", "start", last):
                await getattr(s.supervisor, f"{action}_app")(name)
            await s.reaches(name, "stopped" if last == "stop" else "running")
        gate = s.world.hold[f"stop {name}"] = asyncio.Event()
        await s.supervisor.stop_app(name)
        await s.until(lambda: f"env_a stop {name}" in s.world.happened)
        await s.supervisor.start_app(name)
        removal = asyncio.create_task(s.supervisor.remove_app(name, remove_database=True))
        gate.set()
        assert await removal
        assert s.world.databases == {}
        assert s.world.overlaps == []


async def test_starting_and_stopping_two_hundred_times_leaves_nothing_behind(tmp_path: Path) -> None:
    async with scene(tmp_path, "env_a") as s:
        name = await s.running_app("env_a")

        async def cycle(times: int) -> tuple[int, int]:
            for _ in range(times):
                await s.supervisor.stop_app(name)
                await s.reaches(name, "stopped")
                await s.supervisor.start_app(name)
                await s.reaches(name, "running")
            await asyncio.sleep(0.1)
            gc.collect()
            return len(asyncio.all_tasks()), len(
                [each for each in gc.get_objects() if type(each).__name__ == "ToyApp"]
            )

        before = await cycle(5)
        after = await cycle(200)
        assert after == before


async def test_an_absent_environment_does_not_hold_a_removal_that_is_forced(tmp_path: Path) -> None:
    async with scene(tmp_path, "env_a", "env_b") as s:
        name = await s.running_app("env_a", "env_b")
        await s.stop(s.environments["env_b"])
        assert await s.supervisor.remove_app(name, remove_database=True, force=True)
        assert s.status(name) is None
        again = await s.running_app("env_a", name=name)
        assert len(s.world.databases) == 2
        await s.environment("env_b")
        await s.until(lambda: len(s.world.databases) == 1)
        assert s.status(again) == "running"
        assert s.world.count(f"env_b start {name}") == 1


async def test_a_place_that_cannot_reach_the_database_is_not_added(tmp_path: Path) -> None:
    async with scene(tmp_path, "env_a", "env_b") as s:
        name = await s.running_app("env_a")
        s.world.findings["env_b"] = [Finding(code="DATABASE_UNAVAILABLE", message="No way.")]
        with pytest.raises(Exception, match="No way"):
            await s.supervisor.update_app(name, {"environments": ["env_a", "env_b"]})
        row = s.supervisor.get_app(name)
        assert row is not None
        assert row["environments"] == ["env_a"]


async def test_two_supervisors_on_one_store_agree(tmp_path: Path) -> None:
    async with scene(tmp_path, "env_a") as s:
        other = s.new_supervisor()
        await other.start()
        name = await s.running_app("env_a")
        assert await other.directory.changes.until(
            lambda: (row := other.get_app(name)) is not None and row["status"] == "running", PATIENCE
        )
        await other.stop_app(name)
        await s.reaches(name, "stopped")
        await asyncio.gather(*(each.start_app(name) for each in (other, s.supervisor)))
        await s.reaches(name, "running")
        assert s.world.count(f"env_a start {name}") == 2


async def test_saved_copies_that_are_older_start_nothing(tmp_path: Path) -> None:
    async with scene(tmp_path, "env_a") as s:
        name = await s.running_app("env_a")
        copies = tmp_path / "env_a" / "models"

        async def saved() -> dict[Path, bytes]:
            return {file: file.read_bytes() for file in copies.glob("*.model")}

        older = await eventually(saved, within=PATIENCE, what="a saved model")
        await s.supervisor.stop_app(name)
        await s.reaches(name, "stopped")
        await crash(s, s.environments["env_a"])
        for file, sealed in older.items():
            file.write_bytes(sealed)
        again = await s.environment("env_a")
        app = again.app(name)
        assert app is not None
        assert app.goal.desired == "stopped"
        await s.reaches(name, "stopped")
        assert s.world.count(f"env_a start {name}") == 1

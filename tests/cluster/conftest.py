"""Deployments of real processes, and a place where each test says what it injected and measured."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from atoll.testing.deployment import Deployment, PostgresAddress

from .redis_process import RedisProcess

Say = Callable[[str], None]
SAID = pytest.StashKey[list[tuple[str, str]]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """For test_random_faults.py."""
    group = parser.getgroup("random faults")
    group.addoption("--fault-seconds", type=float, help="Length of the long runs; default 600.", default=600)
    group.addoption("--fault-seed", type=int, help="Seed of the long runs; default: a new one each time.")
    group.addoption("--fault-reports", type=Path, help="Folder for a report (JSON) of each run.")


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """One event loop for fixtures of any scope."""
    return "asyncio"


@pytest.fixture
def say(request: pytest.FixtureRequest) -> Say:
    """Notes one line for the report at the end of the run."""
    lines = request.config.stash.setdefault(SAID, [])
    name = request.node.nodeid.rpartition("/")[2]

    def note(line: str) -> None:
        lines.append((name, line))

    return note


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Prints what the tests injected and measured."""
    lines = config.stash.get(SAID, [])
    if not lines:
        return
    terminalreporter.section("injected and measured")
    last = ""
    for name, line in lines:
        if name != last:
            terminalreporter.write_line(name)
            last = name
        terminalreporter.write_line(f"    {line}")


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisProcess]:
    """A Redis of the module's own, which a test may stop, restart and empty."""
    with RedisProcess(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture
def own_redis(tmp_path: Path) -> Iterator[RedisProcess]:
    """A Redis for one test."""
    folder = tmp_path / "redis"
    folder.mkdir()
    with RedisProcess(folder) as server:
        yield server


@pytest.fixture(scope="module")
async def deployment(
    anyio_backend: str,
    tmp_path_factory: pytest.TempPathFactory,
    postgres: PostgresAddress,
    redis: RedisProcess,
) -> AsyncIterator[Deployment]:
    """The reference deployment, shared by the tests of one module.

    Only one deployment at a time fits on the PostgreSQL service: modules whose tests make their own do not
    use this one.
    """
    folder: Path = tmp_path_factory.mktemp("deployment")
    async with Deployment(folder, redis_url=redis.url, postgres=postgres) as running:
        yield running

"""`atoll up`: everything on this machine, ready to use."""

from __future__ import annotations

import asyncio
import secrets
import shutil
import signal
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from atoll import settings
from atoll.cli.client import ServerClient
from atoll.cli.connect import own_token
from atoll.cli.exits import CommandFailed
from atoll.cli.local import ports as free_ports
from atoll.cli.local import record, redis_server
from atoll.cli.local.account import FirstAccount, first_account
from atoll.cli.local.installation import Installation, RedisProgram
from atoll.cli.local.layout import Layout, inherited, plan
from atoll.cli.local.screen import Screen

if TYPE_CHECKING:
    from atoll.cli.demo.fill import SampleResult

MOST_ENVIRONMENTS = 64
# A server stops itself within SHUTDOWN_SECONDS; a little more before it is killed.
STOP_MARGIN_SECONDS = 5.0


def up(
    environments: Annotated[
        int,
        typer.Option("--environments", min=1, max=MOST_ENVIRONMENTS, help="How many environments (workers)."),
    ] = 2,
    port: Annotated[
        int,
        typer.Option(
            "--port",
            min=0,
            max=65535,
            help="Port of the Supervisor; the environments get the next free ones. 0: any.",
        ),
    ] = 14000,
    host: Annotated[str, typer.Option("--host", help="Address to listen on.")] = "127.0.0.1",
    processes: Annotated[
        int,
        typer.Option(
            "--processes", min=1, max=settings.MOST_PROCESSES, help="Processes of each environment."
        ),
    ] = 1,
    demo: Annotated[
        bool, typer.Option("--demo", help="Add two sample apps, one on each environment.")
    ] = False,
    storage: Annotated[
        Path | None,
        typer.Option("--storage", help="Folder for everything; otherwise STORAGE_PATH, ./storage."),
    ] = None,
) -> None:
    """Run Atoll on this machine: Redis, a Supervisor, environments, SQLite. Ctrl-C stops all of it."""
    environ = settings.read_environment()
    chosen = settings.load(_own_settings(environ)).settings
    folder = (storage or chosen.storage_path).expanduser().absolute()
    with record.exclusive(folder):
        numbers = free_ports.choose(host, port, environments)
        redis_program = _redis(folder)
        account = first_account(chosen, folder)
        layout = plan(
            storage=folder,
            host=host,
            ports=numbers,
            redis_url=redis_program.url,
            account=account.variables,
            environ=environ,
            processes=processes,
        )
        (folder / "db").mkdir(exist_ok=True)
        screen = Screen([server.name for server in layout.servers])
        installation = Installation(
            storage=folder,
            layout=layout,
            redis_program=redis_program,
            screen=screen,
            stop_limit=chosen.shutdown_seconds + STOP_MARGIN_SECONDS,
        )
        asyncio.run(_run(installation, layout, screen, account, folder if demo else None))


def _own_settings(environ: Mapping[str, str]) -> dict[str, str]:
    """The caller's settings that matter here; those of another deployment are left out."""
    own = {name: value for name, value in environ.items() if name.startswith("INIT_ROOT_")}
    return inherited(environ) | own | {"STORAGE_PATH": environ.get("STORAGE_PATH", "")}


def _redis(folder: Path) -> RedisProgram:
    program = redis_server.find()
    password, port = secrets.token_urlsafe(24), free_ports.any_free("127.0.0.1")
    data, logs = folder / "redis", folder / "logs"
    if record.was_killed(folder):
        # The leases and locks in it belong to processes that are gone; everything else is made again.
        shutil.rmtree(data, ignore_errors=True)
    data.mkdir(exist_ok=True, mode=0o700)
    logs.mkdir(exist_ok=True)
    log = logs / "redis.log"
    configuration = redis_server.configuration(port=port, password=password, folder=data, log=log)
    return RedisProgram(program, configuration, f"redis://:{password}@127.0.0.1:{port}/0", log)


async def _run(
    installation: Installation, layout: Layout, screen: Screen, account: FirstAccount, demo: Path | None
) -> None:
    """Runs everything; `demo` is the storage folder when the sample apps are wanted."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, installation.ask_to_stop)
    shown = False

    async def when_ready() -> None:
        nonlocal shown
        samples = await asyncio.to_thread(_samples, layout, screen, account, demo) if demo else []
        _welcome(screen, layout, account, samples)
        shown = True

    try:
        await installation.run(when_ready)
    finally:
        if account.password is not None and account.new and not shown:
            screen.own(f"the generated password of {account.username} is {account.password} (shown only now)")
    screen.own("stopped")


def _samples(layout: Layout, screen: Screen, account: FirstAccount, folder: Path) -> list[SampleResult]:
    from atoll.cli.demo.fill import SignIn, fill

    known = SignIn(account.username, account.password) if account.password else None
    with ServerClient(layout.supervisor.url, own_token(folder / "supervisor", None)) as main:
        try:
            return fill(main, known, screen.console)
        except CommandFailed as error:
            # The installation itself is fine and stays; making the samples can be tried again.
            screen.own(f"the sample apps are not complete: [{error.reason}] {error.message}")
            return []


def _welcome(screen: Screen, layout: Layout, account: FirstAccount, samples: Sequence[SampleResult]) -> None:
    rows = [("open", layout.supervisor.url), ("sign in as", account.username)]
    if account.password is not None and account.new:
        rows.append(("password", f"{account.password}   (shown only now: write it down)"))
    rows += [(server.name, server.url) for server in layout.environments]
    for sample in samples:
        rows.append((sample.title, f"{sample.address}  on {sample.environment}"))
        if sample.sign_in:
            rows.append(("", f"sign in there as {sample.sign_in.username}, {sample.sign_in.password}"))
        if sample.remark:
            rows.append(("", sample.remark))
    rows.append(("stop", "Ctrl-C"))
    screen.panel("Atoll is ready", rows)

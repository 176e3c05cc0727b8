"""`atoll doctor`: looks at everything a server needs and says what to do about what is not right."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from atoll import settings
from atoll.cli.checks import machine
from atoll.cli.checks.result import Check, remark, wrong
from atoll.cli.connect import AsJson
from atoll.cli.exits import ExitCode
from atoll.cli.local import record
from atoll.cli.output import print_json
from atoll.errors import SettingsError

MARKS = {"ok": ("ok   ", "green"), "note": ("note ", "yellow"), "wrong": ("WRONG", "red")}


def doctor(
    as_json: AsJson = False,
    storage: Annotated[
        Path | None, typer.Option("--storage", help="Storage folder; otherwise STORAGE_PATH, ./storage.")
    ] = None,
) -> None:
    """Check versions, settings, storage, database, brokers, clock, ports. Ends with 3 when one is wrong."""
    environ = settings.read_environment()
    if storage is not None:
        environ = {**environ, "STORAGE_PATH": str(storage)}
    checks = [*machine.versions(), machine.clock()]
    try:
        loaded = settings.load(environ)
    except SettingsError as error:
        checks += [
            wrong("settings", problem, "correct it; atoll settings lists all") for problem in error.problems
        ]
    else:
        checks += [remark("settings", text, "see atoll settings") for text in loaded.warnings]
        checks += _deployment(loaded.settings)
    if as_json:
        print_json([asdict(check) for check in checks])
    else:
        _show(checks)
    if any(check.state == "wrong" for check in checks):
        raise typer.Exit(ExitCode.UNHEALTHY)


def _deployment(chosen: settings.Settings) -> list[Check]:
    # Loaded here so that other commands, `atoll start` above all, do not wait for it.
    from atoll.cli.checks.database import database_checks
    from atoll.cli.checks.rabbitmq import rabbitmq_checks
    from atoll.cli.checks.redis import redis_checks

    checks = machine.storage(chosen.storage_path)
    running = record.read(chosen.storage_path)
    if running is not None:
        # `atoll up` owns this folder: its servers have settings of their own, so they are asked instead.
        return checks + [
            machine.server(member.name, member.url) for member in (running.supervisor, *running.environments)
        ]
    checks.append(machine.port(chosen))
    checks += asyncio.run(database_checks(chosen))
    checks += redis_checks(chosen)
    return checks + asyncio.run(rabbitmq_checks(chosen))


def _show(checks: list[Check]) -> None:
    width = max(len(check.subject) for check in checks)
    for check in checks:
        mark, colour = MARKS[check.state]
        typer.secho(mark, fg=colour, nl=False)
        typer.echo(f"  {check.subject:<{width}}  {check.text}")
        if check.remedy:
            typer.echo(f"       {'':<{width}}  -> {check.remedy}")
    wrongs = sum(check.state == "wrong" for check in checks)
    typer.echo(f"\n{wrongs} of {len(checks)} need attention" if wrongs else "\nall is well")

"""`atoll start`: one server, configured by the environment alone."""

from __future__ import annotations

import asyncio
import sys

import typer

from atoll import settings
from atoll.cli.output import note


def start() -> None:
    """Run one server. Everything is set by environment variables; `atoll settings` lists them."""
    loaded = settings.load(settings.read_environment())
    for warning in loaded.warnings:
        note(f"warning: {warning}")
    raise typer.Exit(_run(loaded.settings))


def _run(chosen: settings.Settings) -> int:
    from atoll.server import serve

    if sys.platform == "win32":
        return asyncio.run(serve(chosen))
    import uvloop

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(serve(chosen))

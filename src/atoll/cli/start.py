"""`atoll start`: one server, configured by the environment alone."""

from __future__ import annotations

import asyncio
import socket
import sys
from typing import Annotated

import typer

from atoll import settings
from atoll.cli.output import note


def start(
    place: Annotated[
        str, typer.Option("--place", hidden=True, help="Given by the parent of several processes.")
    ] = "",
) -> None:
    """Run one server. Everything is set by environment variables; `atoll settings` lists them.

    With `CLUSTER_MODE` it is several processes: SIGHUP replaces them one after the other, SIGTERM stops all.
    """
    loaded = settings.load(settings.read_environment())
    chosen = loaded.settings
    if not place:
        for warning in loaded.warnings:
            note(f"warning: {warning}")
        if chosen.processes > 1:
            _run_several(chosen)
            raise typer.Exit
    raise typer.Exit(_run(chosen, place))


def _run_several(chosen: settings.Settings) -> None:
    from atoll import logs
    from atoll.cli.processes.parent import run

    logs.configure(chosen, role="parent", instance=socket.gethostname())
    asyncio.run(run(chosen.processes, chosen.app_host, chosen.app_port, chosen.shutdown_seconds))


def _run(chosen: settings.Settings, place: str) -> int:
    from atoll.server import serve
    from atoll.server.place import Place

    given = Place.parse(place) if place else None
    if sys.platform == "win32":
        return asyncio.run(serve(chosen, given))
    import uvloop

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(serve(chosen, given))

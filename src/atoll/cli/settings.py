"""`atoll settings`: every variable, its present value, where it comes from, and what it means."""

from __future__ import annotations

from typing import Annotated

import typer

from atoll import settings
from atoll.cli.output import note, print_json, print_table


def show_settings(
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON.")] = False,
    changed: Annotated[bool, typer.Option("--changed", help="Only what is set.")] = False,
) -> None:
    """List all settings: value (masked when secret), source, default, help."""
    environ = settings.read_environment()
    rows = [row for row in settings.describe(environ) if not changed or row.source != "default"]
    if as_json:
        print_json(
            [
                {
                    "name": row.name,
                    "value": row.value,
                    "source": row.source,
                    "default": row.default,
                    "secret": row.secret,
                    "help": row.help,
                }
                for row in rows
            ]
        )
    else:
        print_table(
            ["variable", "value", "source", "default", "help"],
            [[row.name, row.value, row.source, row.default, row.help] for row in rows],
        )
    for warning in settings.load(environ).warnings:
        note(f"warning: {warning}")

"""How commands speak: text and tables for people, JSON for scripts, errors on standard error."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence

import msgspec
import typer


def print_json(value: object) -> None:
    """Writes one JSON document to standard output."""
    text = msgspec.json.format(msgspec.json.encode(value, enc_hook=str), indent=2)
    sys.stdout.write(text.decode() + "\n")


def print_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Writes a table: fitted to a terminal, unbroken (one row per line) on a pipe."""
    table = [list(columns), *(list(row) for row in rows)]
    if not sys.stdout.isatty():
        widths = [max(len(row[place]) for row in table) for place in range(len(columns))]
        for row in table:
            line = "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True))
            sys.stdout.write(line.rstrip() + "\n")
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    shown = Table(*columns, box=None, pad_edge=False, header_style="bold")
    for row in table[1:]:
        shown.add_row(*(Text(cell) for cell in row))
    Console().print(shown)


def print_error(code: str, message: str) -> None:
    """Writes an error: its code, then the text."""
    typer.secho(f"error [{code}]", fg="red", err=True, nl=False)
    typer.echo(f" {message}", err=True)


def note(message: str) -> None:
    """Writes a line for people to standard error, so that standard output stays clean."""
    typer.echo(message, err=True)

"""The page of the command line."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import typer

from atoll.cli import build


def commands() -> Iterator[tuple[str, Any]]:
    """Each command that does something, with its full name."""
    yield from _walk("atoll", typer.main.get_command(build()))


def page() -> str:
    """The page as Markdown."""
    lines = [
        "# Command line",
        "",
        "In a working copy the command is `.venv/bin/atoll` after `make setup`. Each command explains itself",
        "with `--help`. The exit codes are on the page of",
        "[error codes](errors.md#exit-codes-of-the-command-line).",
        "",
    ]
    for name, command in commands():
        usage = " ".join(
            parameter.name.upper() for parameter in command.params if parameter.param_type_name == "argument"
        )
        lines += [f"## {name}", "", f"`{name} {usage}`".replace(" `", "`"), "", _sentence(command.help), ""]
        rows = [_row(parameter) for parameter in command.params if not getattr(parameter, "hidden", False)]
        if rows:
            lines += ["| option | default | meaning |", "|---|---|---|", *rows, ""]
    return "\n".join(lines).rstrip() + "\n"


def _walk(name: str, command: Any) -> Iterator[tuple[str, Any]]:
    children = getattr(command, "commands", None)
    if children is None:
        yield name, command
        return
    for child in children.values():
        yield from _walk(f"{name} {child.name}", child)


def _row(parameter: Any) -> str:
    if parameter.param_type_name == "argument":
        names = f"`{parameter.name.upper()}`"
    else:
        names = ", ".join(f"`{option}`" for option in (*parameter.opts, *parameter.secondary_opts))
    default = parameter.default
    shown = "" if default in (None, "", False) else f"`{_default(parameter)}`"
    variable = f" Variable: `{parameter.envvar}`." if parameter.envvar else ""
    return f"| {names} | {shown} | {_sentence(parameter.help)}{variable} |"


def _default(parameter: Any) -> str:
    if parameter.default is True and parameter.secondary_opts:
        return str(parameter.opts[0])
    return str(parameter.default)


def _sentence(text: str | None) -> str:
    return " ".join((text or "").split())

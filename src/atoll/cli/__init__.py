"""The command line. Each command is a module; here they are put together and errors become exit codes."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from atoll import __version__
from atoll.cli import apps
from atoll.cli.doctor import doctor
from atoll.cli.environments import list_environments
from atoll.cli.exits import CommandFailed, ExitCode, exit_code
from atoll.cli.output import print_error
from atoll.cli.settings import show_settings
from atoll.cli.start import start
from atoll.cli.up import up
from atoll.errors import AtollError, SettingsError


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"atoll {__version__}")
        raise typer.Exit


def _about(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and leave.")
    ] = False,
) -> None:
    """Atoll: many small business applications, created and run from one entry point."""


def build() -> typer.Typer:
    """The command line as one object; the reference page is made from it."""
    app = typer.Typer(
        name="atoll",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )
    app.callback()(_about)
    app.command()(up)
    app.command()(start)
    app.add_typer(_apps(), name="app")
    app.add_typer(_environments(), name="env")
    app.command("settings")(show_settings)
    app.command()(doctor)
    return app


def _apps() -> typer.Typer:
    group = typer.Typer(no_args_is_help=True, help="See and change apps.")
    group.command("list")(apps.list_apps)
    group.command("create")(apps.create_app)
    group.command("start")(apps.start_app)
    group.command("stop")(apps.stop_app)
    group.command("remove")(apps.remove_app)
    return group


def _environments() -> typer.Typer:
    group = typer.Typer(no_args_is_help=True, help="See environments.")
    # With a single command a group would take its place; the callback keeps `atoll env list`.
    group.callback()(_see_environments)
    group.command("list")(list_environments)
    return group


def _see_environments() -> None:
    """See environments."""


def main() -> None:
    """Runs the command line; ends the process."""
    try:
        build()()
    except CommandFailed as error:
        print_error(error.reason, error.message)
        sys.exit(error.code)
    except SettingsError as error:
        for problem in error.problems:
            print_error(error.code, problem)
        sys.exit(ExitCode.BAD_SETTINGS)
    except AtollError as error:
        print_error(error.code, error.message)
        sys.exit(exit_code(error))

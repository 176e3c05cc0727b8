"""The command line. Each command is a module; here they are put together and errors become exit codes.

A command's module is imported only when that command is asked for: `atoll start` must not wait for what the
others need.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Annotated

import typer

from atoll import __version__
from atoll.cli.exits import CommandFailed, ExitCode, exit_code
from atoll.cli.output import print_error
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


def _add_up(cli: typer.Typer) -> None:
    from atoll.cli.up import up

    cli.command()(up)


def _add_start(cli: typer.Typer) -> None:
    from atoll.cli.start import start

    cli.command()(start)


def _add_app(cli: typer.Typer) -> None:
    from atoll.cli import apps

    group = typer.Typer(no_args_is_help=True, help="See and change apps.")
    group.command("list")(apps.list_apps)
    group.command("create")(apps.create_app)
    group.command("start")(apps.start_app)
    group.command("stop")(apps.stop_app)
    group.command("remove")(apps.remove_app)
    cli.add_typer(group, name="app")


def _add_env(cli: typer.Typer) -> None:
    from atoll.cli import environments

    group = typer.Typer(no_args_is_help=True, help="See and change environments.")
    group.command("list")(environments.list_environments)
    group.command("drain")(environments.drain_environment)
    group.command("undrain")(environments.undrain_environment)
    cli.add_typer(group, name="env")


def _add_settings(cli: typer.Typer) -> None:
    from atoll.cli.settings import show_settings

    cli.command("settings")(show_settings)


def _add_doctor(cli: typer.Typer) -> None:
    from atoll.cli.doctor import doctor

    cli.command()(doctor)


def _add_nginx(cli: typer.Typer) -> None:
    from atoll.cli.nginx import nginx

    cli.command()(nginx)


COMMANDS: Mapping[str, Callable[[typer.Typer], None]] = MappingProxyType(
    {
        "up": _add_up,
        "start": _add_start,
        "app": _add_app,
        "env": _add_env,
        "settings": _add_settings,
        "doctor": _add_doctor,
        "nginx": _add_nginx,
    }
)


def build(only: str = "") -> typer.Typer:
    """The command line as one object; the reference page is made from it.

    Args:
        only: the first word of the command line. When it is a command, the others are left out.
    """
    cli = typer.Typer(
        name="atoll",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )
    # A callback also keeps the command's name when only one command is there.
    cli.callback()(_about)
    for name in [only] if only in COMMANDS else COMMANDS:
        COMMANDS[name](cli)
    return cli


def main() -> None:
    """Runs the command line; ends the process."""
    words = sys.argv[1:]
    try:
        build(words[0] if words else "")()
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

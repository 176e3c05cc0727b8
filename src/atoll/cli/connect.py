"""Which Supervisor a command speaks to, and as whom."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from atoll import settings
from atoll.cli.client import ServerClient
from atoll.cli.exits import CommandFailed, ExitCode
from atoll.cli.local import record

Url = Annotated[
    str | None,
    typer.Option(
        "--url", help="Address of the Supervisor; otherwise the one of atoll up, else APP_PORT here."
    ),
]
Token = Annotated[
    str | None,
    typer.Option(
        "--token",
        envvar="ATOLL_TOKEN",
        help="A token; otherwise one is made from the key in the storage folder.",
    ),
]
Storage = Annotated[
    Path | None, typer.Option("--storage", help="Storage folder; otherwise STORAGE_PATH, ./storage.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Write JSON.")]
TOKEN_SECONDS = 3600
ROOT_USER_ID = 1


def connect(url: str | None, token: str | None, storage: Path | None) -> ServerClient:
    """A client of the Supervisor that is meant.

    Raises:
        CommandFailed: NOT_ALLOWED when there is no token and no key to make one from.
    """
    environ = settings.read_environment()
    if storage is not None:
        environ = {**environ, "STORAGE_PATH": str(storage)}
    folder = Path(environ.get("STORAGE_PATH") or "storage").expanduser().absolute()
    running = record.read(folder)
    if running is not None:
        address = url or running.supervisor.url
        return ServerClient(address, token or own_token(folder / "supervisor", None))
    chosen = settings.load(environ).settings
    address = url or f"http://127.0.0.1:{chosen.app_port}"
    return ServerClient(address, token or own_token(chosen.storage_path, chosen.app_key))


def own_token(storage: Path, app_key: str | None) -> str:
    """A short-lived token of the first account, made as the server makes them.

    Args:
        storage: the Supervisor's storage folder.
        app_key: APP_KEY when the server is given one.

    Raises:
        CommandFailed: NOT_ALLOWED when the key cannot be read here.
    """
    from atoll.application.auth.tokens import issue

    file = storage / "apps" / "main" / "jwt_secret.dat"
    try:
        secret = app_key.encode() if app_key else file.read_bytes()
    except OSError as error:
        raise CommandFailed(
            ExitCode.NOT_ALLOWED,
            f"there is no key to make a token from ({file}: {error.strerror}). Run this as the user "
            "and with the STORAGE_PATH of the Supervisor, or give a token with --token or ATOLL_TOKEN.",
        ) from error
    return issue(secret, "main", ROOT_USER_ID, lifetime=TOKEN_SECONDS)

"""The first account of a local installation: generated once, shown once, then kept only as a hash."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec
from argon2 import PasswordHasher

from atoll.cli.exits import CommandFailed, ExitCode
from atoll.settings import Settings

FILE = "first-account.json"
# Letters and digits that are not mistaken for each other when read from a screen.
ALPHABET = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"


class KeptAccount(msgspec.Struct):
    """What is kept on disk: never the password itself."""

    username: str
    email: str
    nickname: str
    password_hash: str


@dataclass(frozen=True)
class FirstAccount:
    """The account that new apps get.

    Args:
        variables: the INIT_ROOT_* variables for the child processes.
        username: for sign-in.
        password: in clear, when this run knows it: it was given or generated just now.
        new: it was generated just now and must be shown, for nobody else knows it.
    """

    variables: Mapping[str, str]
    username: str
    password: str | None = None
    new: bool = False


def first_account(chosen: Settings, storage: Path) -> FirstAccount:
    """The account from the settings, else the one kept in `storage`, else a new one.

    A new one is written to `storage` at once (as a hash), so that later runs give new apps the same account.
    """
    kept = _read(storage / FILE)
    if chosen.init_root_password is not None:
        variables = _named(chosen) | {"INIT_ROOT_PASSWORD": chosen.init_root_password}
        if kept is None:
            hashed = PasswordHasher().hash(chosen.init_root_password)
            _write(storage / FILE, _account(chosen, hashed))
        return FirstAccount(variables, chosen.init_root_username, chosen.init_root_password)
    if chosen.init_root_password_hash is not None:
        return FirstAccount(
            _named(chosen) | {"INIT_ROOT_PASSWORD_HASH": chosen.init_root_password_hash},
            chosen.init_root_username,
        )
    if kept is not None:
        return FirstAccount(_variables(kept), kept.username)
    password = "".join(secrets.choice(ALPHABET) for _ in range(16))
    account = _account(chosen, PasswordHasher().hash(password))
    _write(storage / FILE, account)
    return FirstAccount(_variables(account), account.username, password, new=True)


def _named(chosen: Settings) -> dict[str, str]:
    return {
        "INIT_ROOT_USERNAME": chosen.init_root_username,
        "INIT_ROOT_EMAIL": chosen.init_root_email,
        "INIT_ROOT_NICKNAME": chosen.init_root_nickname,
    }


def _account(chosen: Settings, password_hash: str) -> KeptAccount:
    return KeptAccount(
        chosen.init_root_username, chosen.init_root_email, chosen.init_root_nickname, password_hash
    )


def _variables(kept: KeptAccount) -> dict[str, str]:
    return {
        "INIT_ROOT_USERNAME": kept.username,
        "INIT_ROOT_EMAIL": kept.email,
        "INIT_ROOT_NICKNAME": kept.nickname,
        "INIT_ROOT_PASSWORD_HASH": kept.password_hash,
    }


def _read(file: Path) -> KeptAccount | None:
    try:
        return msgspec.json.decode(file.read_bytes(), type=KeptAccount)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.DecodeError) as error:
        raise CommandFailed(
            ExitCode.FAILED,
            f"{file} cannot be read ({error}). It holds the first account for new apps: restore it, or "
            "remove it and set INIT_ROOT_USERNAME and INIT_ROOT_PASSWORD to the account you have.",
        ) from error


def _write(file: Path, account: KeptAccount) -> None:
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(msgspec.json.format(msgspec.json.encode(account)) + b"\n")
    draft.replace(file)

"""Secrets that are generated once and kept in the storage folder, readable by their owner only."""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path

from atoll.errors import StorageUnusable
from atoll.settings import Settings


def kept_secret(file: Path, size: int = 32) -> bytes:
    """The bytes of `file`; created with `size` random bytes when it does not exist.

    Several processes may call this at once on a shared folder: the file appears complete or not at all, and
    all of them get the same bytes.

    Raises StorageUnusable when it cannot be read or made, or is not complete: a new one would silently end
    what the old one protects.
    """
    try:
        found = _read_or_make(file, size)
    except OSError as error:
        raise StorageUnusable(
            f"The key {file} cannot be read or made ({error.strerror}). Check STORAGE_PATH, and that the "
            "user who runs Atoll may write there."
        ) from error
    if len(found) < size:
        raise StorageUnusable(
            f"The key {file} is damaged: {len(found)} instead of {size} bytes. Restore it from a backup; if "
            "there is none, remove it and a new one is made, which ends whatever the old one protected."
        )
    return found


def _read_or_make(file: Path, size: int) -> bytes:
    with contextlib.suppress(FileNotFoundError):
        return file.read_bytes()
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_name(f".{file.name}.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(secrets.token_bytes(size))
            stream.flush()
            os.fsync(stream.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(draft, file)
    finally:
        draft.unlink(missing_ok=True)
    return file.read_bytes()


def app_folder(settings: Settings, app: str) -> Path:
    """The folder of one app below the storage folder."""
    return settings.storage_path / "apps" / app


def main_token_secret(settings: Settings) -> bytes:
    """What signs the main app's tokens: APP_KEY, else the generated file."""
    if settings.app_key is not None:
        return settings.app_key.encode()
    return kept_secret(app_folder(settings, "main") / "jwt_secret.dat")


def storage_key(settings: Settings) -> bytes:
    """The 32-byte key that encrypts secrets at rest: APP_AES_SECRET_KEY, else the generated file."""
    if settings.app_aes_secret_key is not None:
        return bytes.fromhex(settings.app_aes_secret_key)
    return kept_secret(app_folder(settings, "main") / "aes_key.dat")

"""Secrets in an app's database: encrypted with a key of the app's own."""

from __future__ import annotations

import secrets
from base64 import b64decode, b64encode
from binascii import Error

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from atoll.errors import SecretUnreadable

_NONCE = 12


class Vault:
    """Seals texts and opens them again (AES-256-GCM).

    Args:
        secret: the app's secret, which all its instances have; the key is derived from it. With another one
            nothing can be opened any more.
    """

    def __init__(self, secret: bytes) -> None:
        self._key = HKDF(SHA256(), 32, salt=None, info=b"atoll secrets at rest").derive(secret)

    def seal(self, text: str, about: str) -> str:
        """The text as it may be stored; `about` says what it is, and is needed again to open it."""
        nonce = secrets.token_bytes(_NONCE)
        sealed = AESGCM(self._key).encrypt(nonce, text.encode(), about.encode())
        return b64encode(nonce + sealed).decode()

    def open(self, sealed: str, about: str) -> str:
        """The text again; raises SecretUnreadable."""
        try:
            stored = b64decode(sealed, validate=True)
            return AESGCM(self._key).decrypt(stored[:_NONCE], stored[_NONCE:], about.encode()).decode()
        except (InvalidTag, Error, ValueError) as error:
            raise SecretUnreadable(
                f"The secret of {about} cannot be read: it was encrypted with another key. Enter it again."
            ) from error

"""Key pairs of Supervisors and environments, and trust on first use."""

from __future__ import annotations

import base64
import contextlib
import os
import secrets
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from atoll.errors import MessageRefused

_SEED = 32


def _suite() -> Suite:
    return Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)


class PublicKey:
    """What others may know of a key pair: one key to check signatures, one to seal messages to.

    Written as URL-safe base64 of both raw keys (86 characters).
    """

    def __init__(self, text: str) -> None:
        try:
            raw = base64.urlsafe_b64decode(text + "==")
            self._signing = Ed25519PublicKey.from_public_bytes(raw[:_SEED])
            self._sealing = X25519PublicKey.from_public_bytes(raw[_SEED:])
        except ValueError as error:
            raise MessageRefused("A public key is malformed.", detail=str(error)) from error
        self.text = text

    def verify(self, data: bytes, signature: bytes) -> bool:
        """True exactly if the owner of the key pair signed `data`."""
        try:
            self._signing.verify(signature, data)
        except InvalidSignature:
            return False
        return True

    def encrypt(self, plain: bytes, info: bytes) -> bytes:
        """HPKE (RFC 9180, base mode): only the owner of the key pair can read it, only with the same
        `info`.
        """
        return _suite().encrypt(plain, self._sealing, info)


class KeyPair:
    """Signs as its owner and reads what is sealed to it. Made from 64 secret bytes."""

    def __init__(self, seed: bytes) -> None:
        self._signing = Ed25519PrivateKey.from_private_bytes(seed[:_SEED])
        self._sealing = X25519PrivateKey.from_private_bytes(seed[_SEED : 2 * _SEED])
        raw = self._signing.public_key().public_bytes_raw() + self._sealing.public_key().public_bytes_raw()
        self.public = base64.urlsafe_b64encode(raw).decode().rstrip("=")

    @classmethod
    def generate(cls) -> KeyPair:
        """A new one that is kept nowhere."""
        return cls(secrets.token_bytes(2 * _SEED))

    @classmethod
    def kept(cls, file: Path) -> KeyPair:
        """The one whose seed lies in `file`, readable by the owner only; made at first use."""
        return cls(_kept_bytes(file, secrets.token_bytes(2 * _SEED)))

    def sign(self, data: bytes) -> bytes:
        """Ed25519 signature, 64 bytes."""
        return self._signing.sign(data)

    def decrypt(self, sealed: bytes, info: bytes) -> bytes:
        """Reads what `PublicKey.encrypt` made for this pair; raises MessageRefused for anything else."""
        try:
            return _suite().decrypt(sealed, self._sealing, info)
        except Exception as error:
            raise MessageRefused("A sealed message cannot be read.", detail=type(error).__name__) from error


class Pin:
    """Whom to trust: the first key seen, kept in a file beyond restarts."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def trusts(self, key: str) -> bool:
        """True if `key` is the trusted one; the first key ever asked about becomes it."""
        return _kept_bytes(self._file, key.encode()) == key.encode()

    @property
    def key(self) -> str | None:
        """The trusted key, None while none was met."""
        try:
            return self._file.read_bytes().decode()
        except FileNotFoundError:
            return None

    @property
    def file(self) -> Path:
        """Where it is kept; removing the file makes the next key the trusted one."""
        return self._file


def identity_proof(nonce: str, environment: str, instance: str, challenge: str) -> bytes:
    """The bytes an environment signs to prove to the access proxy who answers at its address.

    Args:
        nonce: the proxy's. challenge: the environment's, see `proxy_proof`.
    """
    return b"\0".join(
        (b"atoll identity 1", *(part.encode() for part in (nonce, environment, instance, challenge)))
    )


def proxy_proof(challenge: str, environment: str, instance: str) -> bytes:
    """The bytes a Supervisor signs to prove to an environment that its access proxy is on a connection."""
    return b"\0".join((challenge.encode(), environment.encode(), instance.encode()))


def _kept_bytes(file: Path, fresh: bytes) -> bytes:
    """The content of `file`; `fresh` is put there when it does not exist. Complete or absent, one winner."""
    with contextlib.suppress(FileNotFoundError):
        return file.read_bytes()
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_name(f".{file.name}.{secrets.token_hex(6)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(fresh)
            stream.flush()
            os.fsync(stream.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(draft, file)
    finally:
        draft.unlink(missing_ok=True)
    return file.read_bytes()

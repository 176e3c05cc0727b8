"""Messages between Supervisor and environments: signed always, sealed when they carry anything worth hiding.

Two ways to the same promise. With a shared key (APP_SUPERVISOR_AES_SECRET_KEY) messages are authenticated and
encrypted with keys derived from it. Without one, they are signed by the sender's key pair, which the receiver
trusts on first use, and sealed to the receiver's announced public key.
"""

from __future__ import annotations

import hmac
import secrets
from abc import ABC, abstractmethod

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from msgspec import Struct

from atoll.errors import MessageRefused
from atoll.supervisor.identity import KeyPair, PublicKey


class Header(Struct, frozen=True, array_like=True):
    """What everyone may read of a message; covered by the signature.

    Args:
        scheme: "shared" or "pair".
        purpose: what kind of message; one made for one purpose is refused for another.
        request: request id, "" for messages that are facts and no requests.
        issued, deadline: seconds since 1970 by the clock of the bus; deadline 0 means none.
    """

    scheme: str
    sender: str
    recipient: str
    purpose: str
    request: str
    issued: float
    deadline: float


class Message(Struct, frozen=True, array_like=True):
    """A message on the wire."""

    header: bytes
    body: bytes
    signature: bytes


class Opened(Struct, frozen=True):
    """A message whose signature and seal were right. Whom to trust is the receiver's decision."""

    header: Header
    body: bytes


class Sealer(ABC):
    """Makes and reads messages as the owner of `keys`."""

    scheme: str

    def __init__(self, keys: KeyPair) -> None:
        self.keys = keys

    def wrap(
        self,
        purpose: str,
        body: bytes,
        *,
        recipient: str = "",
        request: str = "",
        issued: float = 0,
        deadline: float = 0,
    ) -> bytes:
        """A message with `body`; readable by everyone when there is no `recipient` (a public key)."""
        head = msgspec.msgpack.encode(
            Header(self.scheme, self.keys.public, recipient, purpose, request, issued, deadline)
        )
        shown = self._hide(recipient, head, body) if recipient else body
        return msgspec.msgpack.encode(Message(head, shown, self._sign(head + shown)))

    def unwrap(self, purpose: str, data: bytes) -> Opened:
        """Reads a message of that purpose; raises MessageRefused when it is altered, forged or not for us."""
        try:
            message = msgspec.msgpack.decode(data, type=Message)
            header = msgspec.msgpack.decode(message.header, type=Header)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise MessageRefused("A message is malformed.", detail=str(error)) from error
        if header.scheme != self.scheme:
            raise MessageRefused(
                "APP_SUPERVISOR_AES_SECRET_KEY is set on one side only. Set the same value on the Supervisor"
                " and on all environments, or on none."
            )
        if header.purpose != purpose or header.recipient not in ("", self.keys.public):
            raise MessageRefused("A message is meant for somebody or something else.", detail=header.purpose)
        if not self._verify(header.sender, message.header + message.body, message.signature):
            raise MessageRefused(
                "The signature of a message is wrong."
                " Check that APP_SUPERVISOR_AES_SECRET_KEY is the same everywhere."
            )
        return Opened(header, self._reveal(message) if header.recipient else message.body)

    def attest(self, purpose: str, data: bytes) -> bytes:
        """A signature that says `data` to whoever has it already; good for that purpose only."""
        return self._sign(_attested(purpose, data))

    def attests(self, sender: str, purpose: str, data: bytes, signature: bytes) -> bool:
        """Whether `sender` (a public key; with a shared key anyone who has it) made that signature."""
        return self._verify(sender, _attested(purpose, data), signature)

    @abstractmethod
    def _sign(self, data: bytes) -> bytes: ...

    @abstractmethod
    def _verify(self, sender: str, data: bytes, signature: bytes) -> bool: ...

    @abstractmethod
    def _hide(self, recipient: str, head: bytes, body: bytes) -> bytes: ...

    @abstractmethod
    def _reveal(self, message: Message) -> bytes: ...


class PairSealer(Sealer):
    """Key pairs: Ed25519 signatures, HPKE to the recipient."""

    scheme = "pair"

    def _sign(self, data: bytes) -> bytes:
        return self.keys.sign(data)

    def _verify(self, sender: str, data: bytes, signature: bytes) -> bool:
        return PublicKey(sender).verify(data, signature)

    def _hide(self, recipient: str, head: bytes, body: bytes) -> bytes:
        return PublicKey(recipient).encrypt(body, head)

    def _reveal(self, message: Message) -> bytes:
        return self.keys.decrypt(message.body, message.header)


class SharedKeySealer(Sealer):
    """One shared 32-byte key: HMAC-SHA-256 and AES-256-GCM with keys derived from it."""

    scheme = "shared"

    def __init__(self, keys: KeyPair, shared: bytes) -> None:
        super().__init__(keys)
        self._mac = _derive(shared, b"atoll messages: sign")
        self._cipher = AESGCM(_derive(shared, b"atoll messages: seal"))

    def _sign(self, data: bytes) -> bytes:
        return hmac.digest(self._mac, data, "sha256")

    def _verify(self, sender: str, data: bytes, signature: bytes) -> bool:
        return hmac.compare_digest(self._sign(data), signature)

    def _hide(self, recipient: str, head: bytes, body: bytes) -> bytes:
        nonce = secrets.token_bytes(12)
        return nonce + self._cipher.encrypt(nonce, body, head)

    def _reveal(self, message: Message) -> bytes:
        try:
            return self._cipher.decrypt(message.body[:12], message.body[12:], message.header)
        except (InvalidTag, ValueError) as error:
            raise MessageRefused("A sealed message cannot be read.", detail=type(error).__name__) from error


class Vault:
    """Encrypts secrets at rest with one 32-byte key (AES-256-GCM). `context` ties a value to its place."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(_derive(key, b"atoll store: secrets"))

    def lock(self, plain: bytes, context: str) -> bytes:
        """The encrypted form, with a random nonce in front."""
        nonce = secrets.token_bytes(12)
        return nonce + self._cipher.encrypt(nonce, plain, context.encode())

    def unlock(self, locked: bytes, context: str) -> bytes:
        """The plain form; raises MessageRefused when the key is another one or the value was altered."""
        try:
            return self._cipher.decrypt(locked[:12], locked[12:], context.encode())
        except (InvalidTag, ValueError) as error:
            raise MessageRefused(
                "Secrets of an app cannot be decrypted. Start with the APP_AES_SECRET_KEY (or the storage"
                " folder) that they were saved with.",
                detail=context,
            ) from error


def sealer(keys: KeyPair, shared: bytes | None) -> Sealer:
    """The sealer for the given settings: `shared` is APP_SUPERVISOR_AES_SECRET_KEY or None."""
    return PairSealer(keys) if shared is None else SharedKeySealer(keys, shared)


def _attested(purpose: str, data: bytes) -> bytes:
    """Cannot be the signed part of a message, which begins with an array of MessagePack."""
    return b"\0".join((b"atoll attest 1", purpose.encode(), data))


def _derive(key: bytes, purpose: bytes) -> bytes:
    return HKDF(SHA256(), 32, None, purpose).derive(key)

"""What travels between Supervisor and environments cannot be read, changed, redirected or passed off."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from atoll.errors import MessageRefused
from atoll.supervisor.identity import KeyPair, Pin, PublicKey
from atoll.supervisor.sealing import Header, Message, Sealer, Vault, sealer

SHARED = b"s" * 32


@pytest.fixture(params=[None, SHARED], ids=["key-pairs", "shared-key"])
def pair(request: pytest.FixtureRequest) -> tuple[Sealer, Sealer]:
    return sealer(KeyPair.generate(), request.param), sealer(KeyPair.generate(), request.param)


def test_only_the_recipient_reads_it(pair: tuple[Sealer, Sealer]) -> None:
    sender, recipient = pair
    sealed = sender.wrap(
        "command", b"very secret", recipient=recipient.keys.public, request="r1", deadline=5.0
    )
    assert b"very secret" not in sealed
    opened = recipient.unwrap("command", sealed)
    assert (opened.body, opened.header.request, opened.header.deadline) == (b"very secret", "r1", 5.0)
    assert opened.header.sender == sender.keys.public
    with pytest.raises(MessageRefused):
        sender.unwrap("command", sealed)


def test_a_message_serves_its_purpose_only(pair: tuple[Sealer, Sealer]) -> None:
    sender, recipient = pair
    sealed = sender.wrap("model", b"x", recipient=recipient.keys.public)
    with pytest.raises(MessageRefused):
        recipient.unwrap("command", sealed)


def test_no_bit_can_be_changed(pair: tuple[Sealer, Sealer]) -> None:
    sender, recipient = pair
    for to in (recipient.keys.public, ""):
        sealed = sender.wrap("command", b"hello", recipient=to, deadline=1.0)
        for position in range(0, len(sealed), 7):
            altered = bytearray(sealed)
            altered[position] ^= 1
            with pytest.raises(MessageRefused):
                recipient.unwrap("command", bytes(altered))


def test_a_deadline_cannot_be_moved(pair: tuple[Sealer, Sealer]) -> None:
    sender, recipient = pair
    message = msgspec.msgpack.decode(
        sender.wrap("command", b"x", recipient=recipient.keys.public, deadline=1.0), type=Message
    )
    header = msgspec.msgpack.decode(message.header, type=Header)
    moved = msgspec.structs.replace(header, deadline=2.0)
    forged = msgspec.structs.replace(message, header=msgspec.msgpack.encode(moved))
    with pytest.raises(MessageRefused):
        recipient.unwrap("command", msgspec.msgpack.encode(forged))


def test_both_sides_need_the_same_shared_key() -> None:
    keys = KeyPair.generate()
    with_key, other_key, without = sealer(keys, SHARED), sealer(keys, b"o" * 32), sealer(keys, None)
    sealed = with_key.wrap("command", b"x", recipient=keys.public)
    for wrong in (other_key, without):
        with pytest.raises(MessageRefused, match="APP_SUPERVISOR_AES_SECRET_KEY"):
            wrong.unwrap("command", sealed)


def test_keys_and_trust_are_kept(tmp_path: Path) -> None:
    file = tmp_path / "folder" / "keys"
    keys = KeyPair.kept(file)
    assert KeyPair.kept(file).public == keys.public
    assert file.stat().st_mode & 0o777 == 0o600
    pin = Pin(tmp_path / "pin")
    assert pin.trusts("one")
    assert not pin.trusts("two")
    assert Pin(tmp_path / "pin").trusts("one")
    with pytest.raises(MessageRefused):
        PublicKey("nonsense")


def test_the_vault_ties_a_secret_to_its_place() -> None:
    vault = Vault(b"k" * 32)
    locked = vault.lock(b"secret", "app1")
    assert vault.unlock(locked, "app1") == b"secret"
    for other, place in ((vault, "app2"), (Vault(b"x" * 32), "app1")):
        with pytest.raises(MessageRefused):
            other.unlock(locked, place)

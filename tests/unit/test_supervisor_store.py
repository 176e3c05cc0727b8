"""The app store on both kinds of databases."""

from __future__ import annotations

import asyncio
import secrets
from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from atoll.database.drivers.base import Database
from atoll.errors import AppNameTaken, AppNotFound, DatabaseUnavailable, MessageRefused
from atoll.supervisor.models import AdminAccount, DatabaseOptions, EnvironmentCard
from atoll.supervisor.store.base import KEPT_EVENTS, AppEvent, AppRecord, KnownEnvironment
from atoll.supervisor.store.database import DatabaseStore

pytestmark = pytest.mark.anyio


def record(name: str = "shop", **more: object) -> AppRecord:
    now = datetime.now(UTC).replace(microsecond=123000)
    made = AppRecord(
        uid=secrets.token_hex(12),
        name=name,
        display_name="Shop",
        secret="5ec2e7",
        created_at=now,
        updated_at=now,
        environments=("env_a",),
    )
    return replace(made, **more)


@pytest.fixture
async def store(database: Database) -> DatabaseStore:
    made = DatabaseStore(database, b"k" * 32)
    await asyncio.gather(*(made.prepare() for _ in range(3)))
    return made


async def test_records_come_back_as_they_were(store: DatabaseStore) -> None:
    kept = record(
        cname="shop.example.com",
        options={"hidden": True, "color": {"a": [1, 2]}},
        database=DatabaseOptions(host="db", password="pw", port=1),
        admin=AdminAccount(username="ann", password="secret"),
    )
    await store.insert(kept)
    other = record("other", created_at=kept.created_at + timedelta(seconds=1))
    await store.insert(other)
    assert await store.apps() == [kept, other]
    assert await store.apps([other.uid]) == [other]
    assert await store.apps([]) == []
    assert await store.versions() == {kept.uid: 1, other.uid: 1}


async def test_names_and_domains_are_unique_until_an_app_is_gone(store: DatabaseStore) -> None:
    first = record(cname="shop.example.com")
    await store.insert(first)
    with pytest.raises(AppNameTaken):
        await store.insert(record())
    with pytest.raises(AppNameTaken):
        await store.insert(record("other", cname="shop.example.com"))
    await store.insert(record("other"))
    other = next(each for each in await store.apps() if each.name == "other")
    with pytest.raises(AppNameTaken):
        await store.update(other.uid, lambda present: replace(present, cname="shop.example.com"))
    await store.update(
        first.uid, lambda present: replace(present, desired="removed", dropped=True, cname=None)
    )
    await store.insert(record())


async def test_updates_at_once_are_all_applied(store: DatabaseStore) -> None:
    made = record()
    await store.insert(made)
    await asyncio.gather(
        *(store.update(made.uid, lambda present: replace(present, sort=present.sort + 1)) for _ in range(20))
    )
    (kept,) = await store.apps()
    assert kept.sort == 20
    assert kept.version == made.version + 20
    assert (await store.update(made.uid, lambda _: None)).version == kept.version
    assert await store.versions() == {made.uid: kept.version}
    await store.delete(made.uid)
    await store.delete(made.uid)
    with pytest.raises(AppNotFound):
        await store.update(made.uid, lambda present: present)


async def test_secrets_need_their_key(store: DatabaseStore, database: Database) -> None:
    await store.insert(record())
    with pytest.raises(MessageRefused, match="APP_AES_SECRET_KEY"):
        await DatabaseStore(database, b"x" * 32).apps()


async def test_environments_keep_their_first_key(store: DatabaseStore) -> None:
    card = EnvironmentCard(
        name="env_a", url="http://a", proxy_url="http://a", app_version="1", public_key="one", instance="i"
    )
    seen = KnownEnvironment(name="env_a", public_key="one", card=card, last_seen=datetime.now(UTC))
    assert (await store.meet(seen)).public_key == "one"
    moved = replace(seen, card=replace(card, url="http://b"))
    assert (await store.meet(moved)).card.url == "http://b"
    stranger = replace(seen, public_key="two", card=replace(card, url="http://evil"))
    kept = await store.meet(stranger)
    assert (kept.public_key, kept.card.url) == ("one", "http://b")
    await store.forget_environment("env_a")
    assert await store.environments() == []
    assert (await store.meet(stranger)).public_key == "two"


async def test_the_newest_events_are_kept_once(store: DatabaseStore) -> None:
    made = record()
    await store.insert(made)
    began = datetime.now(UTC)
    events = [
        AppEvent(key=f"k{number:03}", at=began + timedelta(seconds=number), became="running")
        for number in range(KEPT_EVENTS + 10)
    ]
    await store.note(made.uid, events[:30])
    await store.note(made.uid, events[20:])
    kept = await store.events(made.uid)
    assert [event.key for event in kept] == [event.key for event in reversed(events[10:])]
    await store.delete(made.uid)
    assert await store.events(made.uid) == []


async def test_who_is_met_before_the_tables_are_made_is_met_later(database: Database) -> None:
    card = EnvironmentCard(
        name="env_a", instance="i", url="http://a", proxy_url="http://a", app_version="1", public_key="k"
    )
    known = KnownEnvironment(name="env_a", public_key="k", card=card, last_seen=datetime.now(UTC))
    store = DatabaseStore(database, b"k" * 32)
    with pytest.raises(DatabaseUnavailable):
        await store.meet(known)
    await store.prepare()
    assert (await store.meet(known)).public_key == "k"


async def test_the_wish_that_an_environment_drains_is_kept(store: DatabaseStore) -> None:
    assert await store.draining() == set()
    for _ in range(2):
        await store.drain("env_a", True)
    await store.drain("env_b", True)
    assert await store.draining() == {"env_a", "env_b"}
    for _ in range(2):
        await store.drain("env_a", False)
    await store.forget_environment("env_b")
    assert await store.draining() == set()

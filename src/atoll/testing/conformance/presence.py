"""What every presence adapter must do (supervisor/presence/base.py says it in words).

The test module gives fixtures `presence` and `other_presence`: two adapters on the same service, as two
processes would have them. For memory both are the same object.
"""

from __future__ import annotations

import asyncio
import secrets

import msgspec
import pytest

from atoll.errors import EnvironmentNameTaken
from atoll.lifecycle import end_tasks
from atoll.supervisor.identity import KeyPair
from atoll.supervisor.models import EnvironmentCard
from atoll.supervisor.presence.base import Event, Presence, Sighting
from atoll.supervisor.sealing import PairSealer

PATIENCE = 15.0


def card(name: str = "env_a", url: str = "http://a:1") -> EnvironmentCard:
    """A card of a new instance."""
    return EnvironmentCard(
        name=name,
        url=url,
        proxy_url=url,
        app_version="1",
        public_key=KeyPair.generate().public,
        instance=secrets.token_hex(4),
    )


def signed(shown: EnvironmentCard) -> bytes:
    """The card as it is announced."""
    return PairSealer(KeyPair.generate()).wrap("card", msgspec.json.encode(shown))


async def sighting(presence: Presence, shown: EnvironmentCard) -> Sighting | None:
    """What is known of an instance."""
    _, found = await presence.sightings()
    return next((each for each in found if each.instance == shown.instance), None)


class Reader:
    """Collects the events of a presence."""

    def __init__(self, presence: Presence) -> None:
        self._presence = presence
        self.seen: list[Event] = []
        self._more = asyncio.Condition()
        self._task = asyncio.create_task(self._read())

    async def _read(self) -> None:
        async for event in self._presence.events():
            async with self._more:
                self.seen.append(event)
                self._more.notify_all()

    async def until(self, **facts: object) -> Event:
        """The first event with these facts."""

        def found() -> Event | None:
            return next(
                (
                    each
                    for each in self.seen
                    if all(getattr(each, key) == value for key, value in facts.items())
                ),
                None,
            )

        async with asyncio.timeout(PATIENCE), self._more:
            await self._more.wait_for(found)
        event = found()
        assert event is not None
        return event

    async def any_of(self, *kinds: str) -> None:
        """Waits for an event of one of these kinds."""
        async with asyncio.timeout(PATIENCE), self._more:
            _ = await self._more.wait_for(lambda: any(event.kind in kinds for event in self.seen))

    async def close(self) -> None:
        """Ends reading."""
        await end_tasks([self._task])


@pytest.mark.anyio
class PresenceConformance:
    """The suite."""

    async def test_announced_instances_are_seen_until_they_withdraw(
        self, presence: Presence, other_presence: Presence
    ) -> None:
        """At once, in both directions, and withdrawing twice does no harm."""
        shown = card()
        body = signed(shown)
        announcement = await presence.announce(shown, body)
        seen = await sighting(other_presence, shown)
        assert seen is not None
        assert seen.alive
        assert seen.card == body
        assert seen.environment == "env_a"
        assert seen.vitals is not None
        assert 0 < seen.vitals.memory <= seen.vitals.machine_memory
        assert seen.vitals.cpu >= 0
        await announcement.withdraw()
        assert await sighting(other_presence, shown) is None
        await announcement.withdraw()

    async def test_a_name_at_another_address_is_refused(
        self, presence: Presence, other_presence: Presence
    ) -> None:
        """Naming both addresses; the same address is welcome; a name is free when its holder has left."""
        first = await presence.announce(one := card(url="http://one:1"), signed(one))
        with pytest.raises(EnvironmentNameTaken) as refused:
            await other_presence.announce(two := card(url="http://two:2"), signed(two))
        assert "http://one:1" in refused.value.message
        assert "http://two:2" in refused.value.message
        assert await sighting(presence, two) is None
        sibling = await other_presence.announce(same := card(url="http://one:1"), signed(same))
        other_name = await other_presence.announce(b := card("env_b", "http://two:2"), signed(b))
        await first.withdraw()
        await sibling.withdraw()
        again = await other_presence.announce(two, signed(two))
        await again.withdraw()
        await other_name.withdraw()

    async def test_rows_are_kept_per_instance_and_go_with_it(
        self, presence: Presence, other_presence: Presence
    ) -> None:
        """The newest row is in the snapshot; a dropped row and rows of who left are not."""
        announcement = await presence.announce(shown := card(), signed(shown))
        await announcement.write_status("app1", b"one")
        await announcement.write_status("app1", b"two")
        await announcement.write_status("app2", b"three")
        key = ("env_a", shown.instance)
        assert (await other_presence.snapshot()).rows == {(*key, "app1"): b"two", (*key, "app2"): b"three"}
        await announcement.drop_status("app2")
        assert (await other_presence.snapshot()).rows == {(*key, "app1"): b"two"}
        await announcement.withdraw()
        assert (await other_presence.snapshot()).rows == {}

    async def test_changes_are_told(self, presence: Presence, other_presence: Presence) -> None:
        """Announcing, rows in their order, dropped rows, goodbye."""
        reader = Reader(other_presence)
        await asyncio.sleep(0)
        try:
            warm = await presence.announce(first := card("env_w", "http://w:1"), signed(first))
            await reader.any_of("gap", "environment")
            announcement = await presence.announce(shown := card(), signed(shown))
            _ = await reader.until(kind="environment", environment="env_a", instance=shown.instance)
            for number in range(20):
                await announcement.write_status("app1", str(number).encode())
            _ = await reader.until(kind="status", app="app1", body=b"19")
            bodies = [event.body for event in reader.seen if event.kind == "status"]
            assert bodies == [str(number).encode() for number in range(20)]
            await announcement.drop_status("app1")
            _ = await reader.until(kind="status", app="app1", body=b"")
            await announcement.withdraw()
            _ = await reader.until(kind="goodbye", environment="env_a", instance=shown.instance)
            await warm.withdraw()
        finally:
            await reader.close()

    async def test_models_are_pulled_when_they_changed(
        self, presence: Presence, other_presence: Presence
    ) -> None:
        """Not when the version is known; partial and complete writes; other environments see nothing."""
        empty = await other_presence.pull("env_a", "")
        assert not empty.models
        await presence.write_models("env_a", {"u1": b"one", "u2": b"two"}, [], "v1")
        pull = await other_presence.pull("env_a", "")
        assert (pull.version, pull.models) == ("v1", {"u1": b"one", "u2": b"two"})
        assert (await other_presence.pull("env_a", "v1")).models is None
        await presence.write_models("env_a", {"u3": b"three"}, ["u1"], "v2")
        assert (await other_presence.pull("env_a", "v1")).models == {"u2": b"two", "u3": b"three"}
        await presence.write_models("env_a", {"u4": b"four"}, [], "v3", complete=True)
        assert (await other_presence.pull("env_a", "v2")).models == {"u4": b"four"}
        assert await presence.models_version("env_a") == "v3"
        assert await presence.models_version("env_b") == ""
        assert not (await other_presence.pull("env_b", "")).models
        assert pull.epoch == empty.epoch == (await presence.snapshot()).epoch

    async def test_the_living_are_not_forgotten(self, presence: Presence, other_presence: Presence) -> None:
        """`forget` is for dead instances only."""
        announcement = await presence.announce(shown := card(), signed(shown))
        await other_presence.forget("env_a", shown.instance)
        seen = await sighting(presence, shown)
        assert seen is not None
        assert seen.alive
        await announcement.withdraw()

    async def test_figures_are_read_until_others_take_their_place(
        self, presence: Presence, other_presence: Presence
    ) -> None:
        """Of those instances that were asked for, whoever reads."""
        first = await presence.announce(one := card(), signed(one))
        second = await presence.announce(two := card(), signed(two))
        mine, other, nobody = ("env_a", one.instance), ("env_a", two.instance), ("env_a", "nobody")
        assert await other_presence.traffic([mine, other]) == {}
        await first.write_traffic(b"old")
        await first.write_traffic(b"new")
        await second.write_traffic(b"two")
        assert await other_presence.traffic([mine, nobody]) == {mine: b"new"}
        assert await other_presence.traffic([mine, other]) == {mine: b"new", other: b"two"}
        assert await other_presence.traffic([]) == {}
        await first.withdraw()
        await second.withdraw()

    async def test_complaints_are_shown(self, presence: Presence, other_presence: Presence) -> None:
        """With the instance, soon."""
        announcement = await presence.announce(shown := card(), signed(shown))
        announcement.complain("the disk is full")
        for _ in range(int(PATIENCE / 0.05)):
            seen = await sighting(other_presence, shown)
            if seen is not None and seen.problem == "the disk is full":
                break
            await asyncio.sleep(0.05)
        else:
            pytest.fail("the complaint is not shown")
        await announcement.withdraw()

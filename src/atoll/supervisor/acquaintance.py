"""Which environments a Supervisor trusts: by the key that each announced when it was first seen."""

from __future__ import annotations

import logging
from datetime import UTC, datetime

import msgspec

from atoll.errors import AtollError, DatabaseUnavailable, EnvironmentKeyChanged, MessageRefused
from atoll.supervisor.models import EnvironmentCard, Reason, StatusRow
from atoll.supervisor.presence.base import Sighting
from atoll.supervisor.sealing import Sealer
from atoll.supervisor.store.base import AppStore, KnownEnvironment

log = logging.getLogger(__name__)


class Acquaintance:
    """Tells cards and rows of trusted environments from others. The store keeps the keys."""

    def __init__(self, sealer: Sealer, store: AppStore) -> None:
        self._sealer, self._store = sealer, store
        self._trusted: dict[str, str] = {}
        self._cards: dict[bytes, EnvironmentCard] = {}
        self._refused: dict[str, Reason] = {}

    def key(self, environment: str) -> str | None:
        """The trusted key of that environment."""
        return self._trusted.get(environment)

    def refusal(self, environment: str) -> Reason | None:
        """Why whoever announces itself under that name now is not trusted."""
        return self._refused.get(environment)

    def trust(self, environment: str, key: str) -> None:
        """The store says so."""
        self._trusted[environment] = key

    def unknown_to(self, keys: dict[str, str]) -> list[str]:
        """The environments trusted here with another key than the given ones, or with none there."""
        return [name for name, key in self._trusted.items() if keys.get(name) != key]

    def forget(self, environment: str) -> None:
        """Ends the trust; the next key that it announces becomes the trusted one."""
        self._trusted.pop(environment, None)
        self._refused.pop(environment, None)

    def recall(self, environment: str, sealed: bytes) -> EnvironmentCard | None:
        """A card that was trusted when it was kept, and is again; None when it cannot be read."""
        try:
            opened = self._sealer.unwrap("card", sealed)
            card = msgspec.json.decode(opened.body, type=EnvironmentCard)
        except (MessageRefused, msgspec.MsgspecError) as error:
            log.warning("a kept card was refused", extra={"environment": environment, "reason": str(error)})
            return None
        self._trusted[card.name] = card.public_key
        return card

    def row(self, environment: str, instance: str, body: bytes) -> StatusRow | None:
        """The row, if that instance made it."""
        try:
            opened = self._sealer.unwrap("status", body)
            row = msgspec.json.decode(opened.body, type=StatusRow)
        except (MessageRefused, msgspec.MsgspecError) as error:
            log.warning("a status row was refused", extra={"environment": environment, "reason": str(error)})
            return None
        honest = (row.environment, row.instance) == (environment, instance)
        if opened.header.scheme == "pair":
            honest = honest and opened.header.sender == self._trusted.get(environment)
        if not honest:
            log.warning("a status row was written by somebody else", extra={"environment": environment})
            return None
        return row

    async def card(self, sighting: Sighting) -> EnvironmentCard | None:
        """The card, if the environment that is trusted under that name made it."""
        name = sighting.environment
        known = self._cards.get(sighting.card)
        if known is not None and (name in self._trusted):
            return known if self._trusted[name] == known.public_key else None
        try:
            opened = self._sealer.unwrap("card", sighting.card)
            card = msgspec.json.decode(opened.body, type=EnvironmentCard)
            if card.name != name or opened.header.sender != card.public_key:
                raise MessageRefused("An environment announced itself with a card that is not its own.")
            met = await self._meet(card, shared=opened.header.scheme == "shared")
        except DatabaseUnavailable as error:
            if sighting.alive:  # nobody is mistrusted for that
                self._refused[name] = _reason(error)
            return None
        except (AtollError, msgspec.MsgspecError) as error:
            if sighting.alive and name not in self._refused:
                log.error("an environment is not trusted", extra={"environment": name, "reason": str(error)})
            if sighting.alive:
                self._refused[name] = _reason(error)
            return None
        self._refused.pop(name, None)
        if not met:  # asked of the store again at the next look
            return card
        self._cards = {
            seen: kept for seen, kept in self._cards.items() if kept.name != name or not sighting.alive
        }
        self._cards[sighting.card] = card
        return card

    async def _meet(self, card: EnvironmentCard, *, shared: bool) -> bool:
        """Remembers who was seen; False when that has to wait because the store is away.

        Raises EnvironmentKeyChanged, and DatabaseUnavailable for somebody who is not trusted already.
        """
        known = KnownEnvironment(
            name=card.name, public_key=card.public_key, card=card, last_seen=datetime.now(UTC)
        )
        try:
            kept = await self._store.meet(known)
        except DatabaseUnavailable:
            if self._trusted.get(card.name) != card.public_key:
                raise
            return False
        if kept.public_key != card.public_key and shared:
            # The shared key vouches for it.
            await self._store.forget_environment(card.name)
            kept = await self._store.meet(known)
        self._trusted[card.name] = kept.public_key
        if kept.public_key != card.public_key:
            raise EnvironmentKeyChanged(
                f"The environment {card.name!r} announces another key than the one trusted since it"
                " was first seen. If it was set up anew on purpose, forget the environment here;"
                " it is then met again."
            )
        return True


def _reason(error: Exception) -> Reason:
    if isinstance(error, AtollError):
        return Reason(code=error.code, message=error.message)
    return Reason(code="MESSAGE_REFUSED", message="The environment is of another version; update it.")

"""What a Supervisor makes of sightings: which environments are available, and how they are doing."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from datetime import datetime

import msgspec

from atoll.supervisor.acquaintance import Acquaintance
from atoll.supervisor.directory import Directory, EnvironmentView
from atoll.supervisor.models import EnvironmentCard, InstanceState, Reason
from atoll.supervisor.presence.base import Sighting

log = logging.getLogger(__name__)

_KEPT_BEATS = 20


class Sighted:
    """Keeps the views of environments in the directory.

    Args:
        on_environment: called when environments came, went or changed.
    """

    def __init__(
        self, directory: Directory, acquaintance: Acquaintance, on_environment: Callable[[str], None]
    ) -> None:
        self._directory, self._acquaintance, self._on_environment = directory, acquaintance, on_environment
        self._doubts: dict[str, dict[str, int] | None] = {}

    def recalled(self, card: EnvironmentCard) -> None:
        """An instance that was alive when this was kept counts as alive until presence says otherwise."""
        view = self._directory.environments.get(card.name)
        instances = view.instances if view is not None else ()
        self._put(
            EnvironmentView(
                name=card.name,
                card=card,
                public_key=card.public_key,
                available=True,
                instances=(*instances, InstanceState(card=card, alive=True)),
            )
        )

    def update(self, name: str, seen: list[tuple[Sighting, EnvironmentCard]], *, spare: bool) -> None:
        """Takes over what was seen of an environment.

        Args:
            spare: one that is available stays so, although it was not seen alive.
        """
        before = self._directory.environments.get(name)
        if not seen and before is None:
            return
        newest = sorted(seen, key=lambda pair: (pair[0].alive, pair[0].remaining))
        card = newest[-1][1] if newest else before.card if before is not None else None
        if card is None:
            return
        instances = tuple(_instance(sighting, each) for sighting, each in seen)
        alive = any(each.alive for each in instances)
        if not alive and before is not None and before.available and spare:
            return
        problem = next((sighting.problem for sighting, _ in seen if sighting.alive and sighting.problem), "")
        reason = self._acquaintance.refusal(name)
        if reason is None and problem:
            reason = Reason(code="ENVIRONMENT_PROBLEM", message=problem)
        seen_at = [each.last_seen for each in instances if each.last_seen is not None]
        beats = [each.last_heartbeat for each in instances if each.last_heartbeat is not None]
        last_beat = max(beats, default=before.last_heartbeat if before is not None else None)
        self._put(
            EnvironmentView(
                name=name,
                card=card,
                public_key=self._acquaintance.key(name) or card.public_key,
                available=alive and not self._doubted(name, seen),
                instances=instances,
                reason=reason,
                left=before is not None and before.left and not alive,
                last_seen=max(seen_at, default=before.last_seen if before is not None else None),
                last_heartbeat=last_beat,
                beats=_with_beat(before.beats if before is not None else (), last_beat),
            )
        )

    def goodbye(self, environment: str, instance: str) -> None:
        """An instance ended in good order."""
        view = self._directory.environments.get(environment)
        if view is None:
            return
        left = tuple(each for each in view.instances if each.card.instance != instance)
        self._directory.drop_rows(environment, instance)
        alive = any(each.alive for each in left)
        self._put(msgspec.structs.replace(view, instances=left, available=alive, left=not alive))

    def doubt(self, environment: str) -> None:
        """It could not be reached: not available until its next sign of life."""
        view = self._directory.environments.get(environment)
        if view is not None and view.available and len(view.instances) == 1:
            self._doubts.setdefault(environment, None)

    def _doubted(self, name: str, seen: Iterable[tuple[Sighting, EnvironmentCard]]) -> bool:
        """True until an instance renewed its lease after the doubt arose, or a new one came."""
        if name not in self._doubts:
            return False
        renewals = {each.instance: each.renewals for each, _ in seen if each.alive}
        before = self._doubts[name]
        if before is None:
            self._doubts[name] = renewals
            return True
        if all(before.get(instance, -1) >= count for instance, count in renewals.items()):
            return True
        del self._doubts[name]
        return False

    def _put(self, view: EnvironmentView) -> None:
        before = self._directory.environments.get(view.name)
        self._directory.environments[view.name] = view
        if before is None or _facts(before) != _facts(view):
            if before is None or before.available != view.available:
                log.info(
                    "environment is available" if view.available else "environment is not available",
                    extra={"environment": view.name, "reason": view.reason.message if view.reason else ""},
                )
            self._directory.touch(environment=view.name)
            self._on_environment(view.name)


def _with_beat(before: tuple[datetime, ...], beat: datetime | None) -> tuple[datetime, ...]:
    if beat is None or (before and beat <= before[-1]):
        return before
    return (*before, beat)[-_KEPT_BEATS:]


def _instance(sighting: Sighting, card: EnvironmentCard) -> InstanceState:
    used = sighting.vitals
    return InstanceState(
        card=card,
        alive=sighting.alive,
        lag=sighting.lag,
        last_seen=sighting.last_seen,
        last_heartbeat=sighting.last_heartbeat,
        cpu=used.cpu if used is not None else None,
        memory=used.memory if used is not None else None,
        machine_memory=used.machine_memory if used is not None else None,
    )


def _facts(view: EnvironmentView) -> tuple[object, ...]:
    """What of an environment people want to hear about when it changes; not each sign of life."""
    alive = tuple(each.card.instance for each in view.instances if each.alive)
    return (view.available, view.card, view.reason, alive, view.last_heartbeat)

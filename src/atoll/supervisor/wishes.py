"""What people want of an app, as changes of its record; the reconciler saves them and sees to the rest.

A change gets the newest record and gives the changed one, or the same when there is nothing to do: it is made
again when somebody else saved in between. None means that the wish has no object any more.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from typing import Any

from msgspec.structs import replace

from atoll.supervisor.options import changed_record, places
from atoll.supervisor.placing import restarted, started, stopped
from atoll.supervisor.store.base import AppRecord

Change = Callable[[AppRecord], AppRecord]


def update(values: Mapping[str, Any]) -> Change:
    """Other values. What only a restart brings into effect gives the settings a new version; environments
    that are left out are left."""
    wanted = places(values)

    def change(present: AppRecord) -> AppRecord:
        changed = changed_record(present, values)
        if _restart_matters(present) != _restart_matters(changed):
            changed = replace(changed, settings_version=present.settings_version + 1)
        if wanted is not None:
            left = [place for place in (*present.leaving, *present.environments) if place not in wanted]
            changed = replace(changed, environments=wanted, leaving=tuple(dict.fromkeys(left)))
        return changed

    return change


def start(seen: AppRecord, where: str | None = None, *, failed: bool) -> Change:
    """It runs, everywhere or in one environment. Where it `failed`, it is tried again at once, unless
    somebody changed it since it was seen."""

    def change(present: AppRecord) -> AppRecord:
        again = failed and present.desired == "running" and present.generation == seen.generation
        return started(present, where, again=again)

    return _unless_removed(change)


def stop(where: str | None = None) -> Change:
    """It is stopped, everywhere or in one environment."""
    return _unless_removed(lambda present: stopped(present, where))


def restart(where: str | None = None) -> Change:
    """It is stopped where it runs, and started again, everywhere or in one environment."""
    return _unless_removed(lambda present: restarted(present, where))


def rotate(*, restart: bool) -> Change:
    """Its tokens are signed with a new secret, from its next start on; `restart`: now."""
    secret = secrets.token_hex(32)

    def change(present: AppRecord) -> AppRecord:
        changed = present.signing_with(secret)
        again = restart and present.desired == "running"
        return replace(
            changed,
            settings_version=present.settings_version + 1,
            restarts=present.restarts + again,
        )

    return _unless_removed(change)


def remove(*, remove_database: bool, force: bool) -> Change:
    """It goes. See Supervisor.remove_app."""

    def change(present: AppRecord) -> AppRecord:
        drop = remove_database or not (present.installed or force)
        return replace(present, desired="removed", remove_database=drop, dropped=present.dropped or force)

    return change


def wake(present: AppRecord) -> AppRecord | None:
    """It runs, if it still waits for its first visit."""
    return replace(present, desired="running") if present.desired == "ready" else None


def _restart_matters(record: AppRecord) -> tuple[object, ...]:
    """What a running app was started with; its other options say how it is shown, or how it was made."""
    upgrades = record.options.get("autoUpgrade")
    return (record.display_name, record.connection, record.database, record.secret, upgrades)


def _unless_removed(change: Change) -> Change:
    """Removing is final: a start or stop that comes later changes nothing."""
    return lambda present: present if present.desired == "removed" else change(present)

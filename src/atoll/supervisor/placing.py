"""What a record becomes when an app is started, stopped or restarted: everywhere, or in one environment."""

from __future__ import annotations

from msgspec.structs import replace

from atoll.supervisor.store.base import AppRecord, Place


def started(record: AppRecord, where: str | None, *, again: bool) -> AppRecord:
    """It should run; in one environment of a stopped app, only there.

    Args:
        again: tries failed, so that wanting it to run is not enough.
    """
    if where is None:
        restarts = record.restarts + again
        return replace(record, desired="running", restarts=restarts, placed=_nowhere_stopped(record))
    places = _places(record)
    if record.desired != "running":
        places = {name: replace(place, stopped=True) for name, place in places.items()}
    here = places[where]
    places[where] = replace(here, stopped=False, restarts=here.restarts + again)
    return replace(record, desired="running", placed=places)


def stopped(record: AppRecord, where: str | None) -> AppRecord:
    """It should not run; what is stopped everywhere is a stopped app."""
    places = _places(record)
    if where is not None:
        if record.desired == "stopped":
            return record
        places[where] = replace(places[where], stopped=True)
        if not all(places[name].stopped for name in record.environments):
            return replace(record, placed=places)
    return replace(record, desired="stopped", placed=_nowhere_stopped(record))


def restarted(record: AppRecord, where: str | None) -> AppRecord:
    """It should stop where it runs, and run again."""
    if where is None:
        return replace(record, desired="running", restarts=record.restarts + 1)
    return started(record, where, again=True)


def numbered(present: AppRecord, changed: AppRecord) -> AppRecord:
    """With the changed record's generation at the places for which something else should be the case now."""
    return replace(
        changed,
        placed={
            name: place
            if place == present.placed.get(name, Place())
            else replace(place, goal_generation=changed.generation)
            for name, place in changed.placed.items()
        },
    )


def _places(record: AppRecord) -> dict[str, Place]:
    return record.placed | {name: record.placed.get(name, Place()) for name in record.environments}


def _nowhere_stopped(record: AppRecord) -> dict[str, Place]:
    return {name: replace(place, stopped=False) for name, place in record.placed.items()}

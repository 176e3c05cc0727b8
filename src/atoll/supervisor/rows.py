"""Apps and environments as the API shows them. Source: http-api.md 10.1, 10.3, 10.5, and more fields."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from atoll.supervisor.command.base import Receipt
from atoll.supervisor.directory import Directory, EnvironmentView, Placement, offline, overall
from atoll.supervisor.models import STEPS, StatusRow, Step
from atoll.supervisor.options import shown_icon, shown_options
from atoll.supervisor.store.base import AppEvent, AppRecord


def application_row(
    record: AppRecord, directory: Directory, receipts: Mapping[str, Receipt] | None = None
) -> dict[str, Any]:
    """One row of `applications`.

    Times are ISO 8601 in UTC. `reasons` has one entry per environment that has something to say, `reason`
    is the first of them, `progress` is None for an app at rest, `restartNeeded` says that options wait for
    a restart.
    """
    placements = directory.placements(record)
    status = overall(placements)
    reasons = {
        each.environment: msgspec.to_builtins(each.reason) for each in placements if each.reason is not None
    }
    queue = _queue(placements)
    return {
        "name": record.name,
        "displayName": record.display_name,
        "icon": shown_icon(record),
        "cname": record.cname,
        "pinned": record.pinned,
        "sort": record.sort,
        "status": status,
        "statuses": {each.environment: each.status for each in placements},
        "environments": list(record.environments),
        "options": shown_options(record),
        "desired": record.desired,
        "reason": next(iter(reasons.values()), None),
        "reasons": reasons,
        "progress": _progress(record, placements, queue),
        "restartNeeded": any(
            each.row is not None
            and each.status == "running"
            and each.row.settings_version < record.settings_version
            for each in placements
        ),
        "instances": [
            _instance(row, queue)
            for row in directory.rows(record.uid)
            if row.environment in record.environments
        ],
        "operation": _operation(record, receipts or {}),
        "createdAt": shown_time(record.created_at),
        "updatedAt": shown_time(record.updated_at),
    }


def environment_row(view: EnvironmentView, directory: Directory) -> dict[str, Any]:
    """One row of `environments`. `lag` is how many seconds late the event loop of an instance last was."""
    reason = view.reason if view.available else offline(view.name, view)
    apps = [record for record in directory.listed if view.name in record.environments]
    return {
        "name": view.name,
        "url": view.card.url,
        "proxyUrl": view.card.proxy_url,
        "appVersion": view.card.app_version,
        "available": view.available,
        "draining": view.name in directory.draining,
        "lastHeartbeatAt": shown_time(view.last_heartbeat),
        "lastSeenAt": shown_time(view.last_seen),
        "reason": msgspec.to_builtins(reason) if reason is not None else None,
        "publicKey": view.public_key,
        "beats": [shown_time(beat) for beat in view.beats],
        **_used(view),
        "apps": len(apps),
        "runningApps": sum(directory.placement(record, view.name).status == "running" for record in apps),
        "instances": [
            {
                "instance": each.card.instance,
                "host": each.card.host,
                "pid": each.card.pid,
                "version": each.card.app_version,
                "since": shown_time(each.card.since),
                "alive": each.alive,
                "lag": round(each.lag, 3),
                "cpu": each.cpu,
                "memory": each.memory,
                "lastSeenAt": shown_time(each.last_seen),
            }
            for each in view.instances
        ],
    }


def _used(view: EnvironmentView) -> dict[str, Any]:
    """What the live instances use together: `cpu` as a share of their machine, `memory` in bytes."""
    telling = [each for each in view.instances if each.alive and each.memory is not None]
    if not telling:
        return {"cpu": None, "memory": None, "machineMemory": None}
    return {
        "cpu": round(min(1.0, sum(each.cpu or 0.0 for each in telling)), 4),
        "memory": sum(each.memory or 0 for each in telling),
        "machineMemory": max(each.machine_memory or 0 for each in telling),
    }


def event_row(event: AppEvent) -> dict[str, Any]:
    """One thing that happened to an app. `to` is "" for what somebody asked for (`action`, `by`)."""
    return {
        "key": event.key,
        "at": shown_time(event.at),
        "environment": event.environment,
        "from": event.was,
        "to": event.became,
        "action": event.action,
        "by": event.by or None,
        "durationMs": round(event.seconds * 1000) if event.seconds is not None else None,
        "message": event.reason.message if event.reason is not None else "",
        "reason": msgspec.to_builtins(event.reason) if event.reason is not None else None,
    }


def _progress(
    record: AppRecord, placements: list[Placement], queue: Mapping[str, Any]
) -> dict[str, Any] | None:
    """The progress where it is least far; steps that nobody reported yet are waiting."""
    busy = [
        each for each in placements if each.status not in ("running", "stopped", "initialized", "unknown")
    ]
    if not busy:
        return None
    # Who works is shown before who waits for a turn.
    busy.sort(key=lambda each: (each.environment in queue, each.row is None))
    first = busy[0]
    reported = {step.name: step for step in first.row.steps} if first.row is not None else {}
    steps = []
    for name in STEPS:
        if name == "template" and not record.options.get("template"):
            continue
        step = reported.get(name, Step(name=name))
        if name == "record":
            step = Step(name=name, state="done", at=record.created_at)
        steps.append({"name": name, "state": step.state, "at": shown_time(step.at), "message": step.message})
    progress: dict[str, Any] = {
        "environment": first.environment,
        "step": (first.row.step if first.row is not None else "") or "record",
        "message": first.row.message if first.row is not None else "",
        "steps": steps,
    }
    if queue:
        progress["queue"] = next(iter(queue.values()))
        progress["queues"] = dict(queue)
    return progress


def _queue(placements: list[Placement]) -> dict[str, dict[str, Any]]:
    """Who waits for a turn: position from 1, in the order of their waiting since."""
    waiting = [
        (each.row.queued_since, each)
        for each in placements
        if each.row is not None and each.row.queued_since is not None and each.status == "preparing"
    ]
    waiting.sort(key=lambda pair: pair[0])
    return {
        each.environment: {
            "position": position,
            "since": shown_time(since),
            "reason": each.row.message if each.row is not None else "",
        }
        for position, (since, each) in enumerate(waiting, start=1)
    }


def _instance(row: StatusRow, queue: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "environment": row.environment,
        "instance": row.instance,
        "status": row.status,
        "since": shown_time(row.since),
        "deadline": shown_time(row.deadline),
        "step": row.step,
        "message": row.message,
        "attempts": row.attempts,
        "version": row.version,
        "queue": queue.get(row.environment),
    }


def _operation(record: AppRecord, receipts: Mapping[str, Receipt]) -> dict[str, Any] | None:
    operation = record.operation
    if operation is None:
        return None
    return {
        "id": operation.id,
        "action": operation.action,
        "by": operation.by,
        "at": shown_time(operation.at),
        "receipts": {
            environment: {
                "state": receipt.state,
                "at": shown_time(receipt.at),
                "reason": msgspec.to_builtins(receipt.reason) if receipt.reason is not None else None,
            }
            for environment, receipt in receipts.items()
        },
    }


def shown_time(at: datetime | None) -> str | None:
    """ISO 8601 in UTC, to the millisecond."""
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z") if at is not None else None

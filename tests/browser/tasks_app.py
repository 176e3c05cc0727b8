"""An app with one collection of tasks, for the tests of lists and records."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from playwright.async_api import Page, expect

from atoll.testing.client import AtollClient

from .installation import ACCOUNT, Installation
from .steps import give_credentials, row

NAME = "work"
LIST = f"/apps/{NAME}/admin/r/tasks"
_FIELDS: tuple[tuple[str, str, str, str, dict[str, Any]], ...] = (
    ("title", "string", "input", "Title", {}),
    ("hours", "double", "number", "Hours", {}),
    ("code", "string", "input", "Code", {"unique": True}),
    ("notes", "text", "textarea", "Notes", {}),
    ("done", "boolean", "checkbox", "Done", {}),
    ("due", "dateOnly", "date", "Due", {}),
    ("state", "string", "select", "State", {}),
)
_CHOICES = {"enum": [{"value": "open", "label": "Open"}, {"value": "paused", "label": "Paused"}]}


@contextlib.asynccontextmanager
async def api(installation: Installation) -> AsyncIterator[AtollClient]:
    """The app's own API, signed in."""
    async with installation.client() as client, client.other(NAME) as app:
        await app.sign_in(ACCOUNT)
        yield app


async def prepare(installation: Installation, tasks: Sequence[Mapping[str, Any]]) -> None:
    """The app exists and has exactly these tasks."""
    async with installation.client() as client:
        await client.sign_in(ACCOUNT)
        is_new = await client.app_row(NAME) is None
        if is_new:
            await client.create_app(NAME, ["env_a"])
    async with api(installation) as app:
        if is_new:
            fields = [
                {
                    "name": name,
                    "type": kind,
                    "interface": interface,
                    "uiSchema": {"title": title, **(_CHOICES if interface == "select" else {})},
                    **more,
                }
                for name, kind, interface, title, more in _FIELDS
            ]
            await app.call("collections:create", {"name": "tasks", "title": "Tasks", "fields": fields})
        await app.call("tasks:destroy", filter={"id": {"$notEmpty": True}})
        await app.call("tasks:create", list(tasks))


async def open_tasks(page: Page, first: str, query: str = "") -> None:
    """Signs in and shows the list, which holds a task of that title."""
    await page.goto(f"{LIST}{query}")
    await give_credentials(page, ACCOUNT)
    await expect(row(page, first)).to_be_visible()

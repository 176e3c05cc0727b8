"""Fills a new app from a template."""

from __future__ import annotations

from datetime import UTC, datetime

from atoll.application.app import Application
from atoll.application.records.filter import Caller
from atoll.templates import Template, dated


async def fill(application: Application, template: Template) -> None:
    """Makes the template's collections with their records. The app is installed and not started.

    A collection that is there is kept, and gets the records only while it is empty, so that a fill that was
    broken off can be done again.
    """
    collections, records = application.collections, application.records
    await collections.load()
    caller = Caller()
    for each in template.collections:
        name = each.values["name"]
        if collections.get(name) is None:
            await collections.create(each.values)
        collection = collections.get(name)
        if collection is not None and not await records.count(collection, {}, caller):
            await records.create(collection, dated(each.rows, datetime.now(UTC).date()), caller)

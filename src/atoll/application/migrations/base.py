"""The contract of a migration.

A migration has two halves, because instances of the old and of the new version serve at the same time during
a rolling upgrade:

`before` runs before the first instance of the new version serves. It only adds: tables, columns that may be
    empty or have a default, indexes. Whatever the previous version reads and writes still works.
`after` runs once no instance of an older version lives. It may take away what only they needed. From then on
    older versions are refused. A migration without it can be rolled back by starting the older version again.

Each step is one transaction together with the row that says it was done: a step that was killed has not
happened, and a step is never applied twice, whoever tries. A step that fills a large table does a part per
call and answers True while there is more: each part is a transaction of its own. A migration's code stands on
its own (names and types written out): what the application calls its tables today says nothing about then.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from atoll.database.drivers.base import Connection, Database

Step: TypeAlias = Callable[[Database, Connection], Awaitable[bool | None]]
"""Does its work on the given transaction; True: call again, there is more. The database gives kind, schema,
prefix and compiler; statements run on the connection."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One change of an app's tables.

    Args:
        name: unique and never changed again, with a number for the order: `0002-instances`; a plugin's
            begins with the plugin's name: `import-export/0001-jobs`.
    """

    name: str
    before: Sequence[Step] = ()
    after: Sequence[Step] = ()

    @property
    def owner(self) -> str:
        """The plugin it belongs to, "" for the application itself."""
        return owner_of(self.name)


def owner_of(name: str) -> str:
    """The plugin that a migration of that name belongs to."""
    return name.rpartition("/")[0]

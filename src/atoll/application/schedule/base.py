"""The contract of scheduled work.

Promised
    Each time a job is due is one tick, a row in the app's database with the primary key (job, time). It is
    made by compare-and-set of the job's next time, so a tick is made once, however many instances, zombies
    or clocks take part, and none is left out while the app runs anywhere. Time is the database's. A tick is
    run by one instance, under a lease that it renews; an instance that is killed or cut off loses it, and
    another one runs the tick again, at most `TRIES` times in all. What an instance that lost its lease has
    still to say is not taken down.
    After a downtime the newest `catch_up` ticks of a job are run, oldest first; older ones are not, and that
    stands in the list of ticks, with their number.
Not promised
    That a tick runs once if its instance dies while it runs: what it does must bear to be done again. A
    failed tick is not repeated; the next one comes.
Life
    Jobs are added in a plugin's `load`. They run on instances whose WORKER_MODE serves `SERVICE`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo

from cronsim import CronSim, CronSimError

from atoll.errors import InvalidValue

SERVICE = "schedule:process"
TRIES = 3


@dataclass(frozen=True, slots=True)
class Tick:
    """One time at which a job is due. `number` is 1 for the first try."""

    job: str
    due: datetime
    number: int


@dataclass(frozen=True, slots=True)
class Job:
    """Work that is due again and again.

    Args:
        name: unique in the app: `<plugin>/<what>`.
        cron: five fields: minute, hour, day of month, month, day of week.
        run: does it; raises to say that it failed.
        zone: in which the expression is meant.
        catch_up: how many missed ticks are run after a downtime.
    """

    name: str
    cron: str
    run: Callable[[Tick], Awaitable[None]]
    zone: tzinfo = UTC
    catch_up: int = 1

    def after(self, moment: datetime) -> datetime:
        """The first time after `moment`; raises InvalidValue for an expression that is none."""
        try:
            return next(CronSim(self.cron, moment.astimezone(self.zone))).astimezone(UTC)
        except (CronSimError, StopIteration) as error:
            raise InvalidValue(
                f"The schedule {self.cron!r} of {self.name!r} is not five fields of cron, or is never due."
            ) from error

"""Work of an app that is due at certain times."""

from atoll.application.schedule.base import Job, Tick
from atoll.application.schedule.schedule import Schedule

__all__ = ["Job", "Schedule", "Tick"]

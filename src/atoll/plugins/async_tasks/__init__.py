"""Asynchronous tasks: what takes longer than a request may."""

from atoll.plugins.async_tasks.plugin import AsyncTasks

__all__ = ["AsyncTasks"]

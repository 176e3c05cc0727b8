"""The resources `applications` and `environments` of the entry app, and their live messages."""

from atoll.plugins.app_supervisor.plugin import AppSupervisor

__all__ = ["AppSupervisor"]

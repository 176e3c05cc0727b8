"""Where files are kept."""

from atoll.plugins.files.storage.base import Span, Storage

__all__ = ["Span", "Storage"]

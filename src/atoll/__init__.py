"""Atoll: many small business applications, created and run from one entry point."""

__version__ = "0.1.0"

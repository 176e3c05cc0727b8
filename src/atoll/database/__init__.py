"""Databases: how to speak to them, and how they come and go with apps."""

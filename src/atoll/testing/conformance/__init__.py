"""Conformance suites: what every adapter of a contract must do. Subclass one and give its fixtures."""

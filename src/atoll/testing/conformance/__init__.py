"""Conformance suites: what an adapter must do to be called one. Subclass in a test module and give the fixtures."""

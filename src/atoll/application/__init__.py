"""One business app: collections, records, users, rights, and its HTTP API."""

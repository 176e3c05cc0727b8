"""What every request meets first: app selection, local serving, the UI, and the way to the access proxy."""

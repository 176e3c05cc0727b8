"""Which apps exist, where they run, and how they get there."""

"""Who is alive, what runs where, and the copies of app models: short-lived, rebuildable facts."""

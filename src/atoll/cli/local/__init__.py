"""A whole installation on one machine: Redis, a Supervisor and workers as child processes of `atoll up`."""

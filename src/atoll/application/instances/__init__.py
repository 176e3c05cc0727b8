"""Several processes that serve one app as if they were one."""

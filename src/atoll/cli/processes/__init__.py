"""Several processes that serve one address (CLUSTER_MODE): the parent that starts and replaces them."""

"""Instructions to environments and what became of them."""

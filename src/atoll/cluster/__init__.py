"""What processes share: locks, messages, work, caches, ids, and the Redis they travel over."""

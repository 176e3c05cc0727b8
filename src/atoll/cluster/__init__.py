"""What processes share: locks, messages, and the Redis they travel over."""

"""The durable records of apps and environments."""

"""Messages to all processes of an installation."""

from atoll.cluster.pubsub.base import Gap, Handler, PubSub, Subscription
from atoll.cluster.pubsub.memory import MemoryPubSub
from atoll.cluster.pubsub.redis import RedisPubSub

__all__ = ["Gap", "Handler", "MemoryPubSub", "PubSub", "RedisPubSub", "Subscription"]

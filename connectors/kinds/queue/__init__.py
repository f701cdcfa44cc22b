"""Takes messages of RabbitMQ queues (AMQP 0-9-1): acknowledged when they are committed, answered where wanted."""

from connectors.kinds.queue.connector import QueueConnector

__all__ = ["QueueConnector"]

"""The Kafka topic of the demo, and its messages."""

import threading

from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from demo.screen import DemoError

TOPIC = "mytopic"
_SECONDS = 20.0


def make_topic(bootstrap: str) -> None:
    """Create the topic, with one partition."""
    # The variable keeps the client alive, because the request ends with its client.
    admin = AdminClient({"bootstrap.servers": bootstrap})
    admin.create_topics([NewTopic(TOPIC, 1, 1)])[TOPIC].result(_SECONDS)


def message(number: int) -> bytes:
    """The message with this number. The number is also its offset, because the topic has one partition."""
    return f"message {number}".encode()


def produce(bootstrap: str, first: int, count: int, *, per_second: float | None = None) -> None:
    """Produce the messages `first` to `first + count - 1`, at once or at a rate.

    Raises:
        DemoError: the broker did not accept all of them in time.
    """
    producer = Producer({"bootstrap.servers": bootstrap})
    pace = threading.Event()
    for number in range(first, first + count):
        producer.produce(TOPIC, message(number))
        if per_second is not None:
            pace.wait(1 / per_second)
    left = producer.flush(_SECONDS)
    if left:
        raise DemoError(f"expected Kafka to accept {count} messages within {_SECONDS:.0f} s; {left} are left")


def acknowledged(bootstrap: str, group: str) -> int:
    """How many messages a consumer group has acknowledged."""
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": group})
    try:
        found = consumer.committed([TopicPartition(TOPIC, 0)], timeout=_SECONDS)
    finally:
        consumer.close()
    return max(0, int(found[0].offset))

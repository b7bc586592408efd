"""Sends and receives messages through a stand-in for the connection to a broker: the messages are in memory.

The producer and the consumer are those of aiokafka. What is replaced is below them: the client that talks to a broker,
the accumulator of messages that are sent, and the fetcher of messages that are received.
"""

import asyncio
import contextlib
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from opentelemetry import trace


class Cluster:
    """What a producer asks about the topics: each has one partition."""

    def partitions_for_topic(self, topic: str) -> set[int]:
        return {0}

    def available_partitions_for_topic(self, topic: str) -> set[int]:
        return {0}


class Broker:
    """Topics in memory, in place of the client, the accumulator and the fetcher."""

    _bootstrap_servers = "kafka.example:9092"

    def __init__(self, client_id: str) -> None:
        self._client_id = client_id
        self.cluster = Cluster()
        self.records: list[Any] = []

    async def _wait_on_metadata(self, topic: str) -> None:
        if topic == "forbidden":
            raise PermissionError("not allowed")

    async def add_message(
        self, tp: Any, key: Any, value: Any, timeout: float, timestamp_ms: Any, headers: Any
    ) -> asyncio.Future[None]:
        offset = len(self.records)
        self.records.append(
            ConsumerRecord(tp.topic, tp.partition, offset, 0, 0, key, value, None, 0, 0, tuple(headers))
        )
        sent: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        sent.set_result(None)
        return sent

    async def next_record(self, partitions: Any) -> Any:
        return self.records.pop(0)

    async def fetched_records(self, partitions: Any, timeout: float, max_records: int) -> dict[Any, Any]:
        batch: dict[Any, Any] = {}
        for record in self.records:
            batch.setdefault(TopicPartition(record.topic, record.partition), []).append(record)
        self.records.clear()
        return batch


def producer(broker: Broker) -> Any:
    made: Any = AIOKafkaProducer(client_id="till")
    made.client = made._message_accumulator = broker
    made._metadata = broker.cluster
    made._closed = True  # there is no connection to close
    return made


def consumer(broker: Broker) -> Any:
    made: Any = AIOKafkaConsumer(client_id="kitchen", group_id="kitchens")
    made._client = made._fetcher = broker
    made._coordinator = made._subscription = Unused()
    return made


class Unused:
    """What a consumer asks before it fetches."""

    def check_errors(self) -> None:
        pass

    def fetch_context(self) -> Any:
        return contextlib.nullcontext()


async def use() -> None:
    broker = Broker("till")
    till, kitchen = producer(broker), consumer(broker)
    with trace.get_tracer("shop").start_as_current_span("shop"):
        await till.send("orders", b"tea", key=b"table 1")
        await till.send_and_wait("orders", b"cup", headers=[("shop", b"west")])
        await till.send("bills", b"5")
        with contextlib.suppress(PermissionError):
            await till.send("forbidden", b"no")
        await kitchen.getone()
        await kitchen.getmany()
        await kitchen.getmany()
    await till.send("orders", b"pot", partition=0)
    broker.records[-1].headers = ()
    await anext(kitchen)


def main() -> None:
    asyncio.run(use())


LOOP = asyncio.new_event_loop()
BROKER = Broker("till")


async def send_and_receive() -> None:
    till, kitchen = USED
    for _ in range(20):
        await till.send("orders", b"tea", key=b"table 1")
        await kitchen.getone()


async def make() -> tuple[Any, Any]:
    return producer(BROKER), consumer(BROKER)


USED = LOOP.run_until_complete(make())


def hot() -> None:
    LOOP.run_until_complete(send_and_receive())

"""Two agents of an AG2 network: one asks, the other answers. There is no tracing code; the models are scripted."""

import asyncio

from ag2 import Agent
from ag2.events import ModelMessage, ModelResponse, Usage
from ag2.knowledge import MemoryKnowledgeStore
from ag2.network import EV_CHANNEL_CLOSED, EV_TEXT, Hub
from ag2.testing import TestConfig

ANSWER = ModelResponse(
    ModelMessage("Paris."), usage=Usage(prompt_tokens=12, completion_tokens=2), model="demo-1", provider="demo"
)


async def main() -> None:
    hub = await Hub.open(MemoryKnowledgeStore())
    alice = await hub.register(Agent("alice"))
    bob = await hub.register(Agent("bob", config=TestConfig(ANSWER)))

    channel = await alice.open(type="consulting", target="bob")
    await channel.send("What is the capital of France?")
    reply = await alice.wait_for_channel_event(
        channel_id=channel.channel_id, predicate=lambda envelope: envelope.event_type == EV_TEXT
    )
    print(f"bob says: {reply.event_data['text']}")
    await alice.wait_for_channel_event(
        channel_id=channel.channel_id, predicate=lambda envelope: envelope.event_type == EV_CHANNEL_CLOSED
    )

    await bob.close()
    await alice.close()
    await hub.close()


asyncio.run(main())

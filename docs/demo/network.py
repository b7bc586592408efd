"""A small AG2 network: a coordinator asks a researcher, who searches and reports; a reviewer's model fails.

There is no tracing code in this file. The models are scripted, so it needs no API key and no network connection.

    python docs/demo/network.py
    OTEL_TRACES_EXPORTER=tree OTEL_METRICS_EXPORTER=none OTEL_LOGS_EXPORTER=none \
        opentelemetry-instrument python docs/demo/network.py
"""

import asyncio
import json
import logging

from ag2 import Agent, Context
from ag2.events import ModelMessage, ModelResponse, ToolCallEvent, ToolCallsEvent, Usage
from ag2.knowledge import MemoryKnowledgeStore
from ag2.network import AgentClientInject, BaseHubListener, Hub, HubBackedCheckpointStore, HubInject, Resume
from ag2.testing import TestConfig
from ag2.tools import tool

LIBRARY = {
    "tides": "The moon's pull raises two bulges of water; a place turns through both in a day.",
    "spring tides": "Sun, moon and earth stand in one line at new and at full moon, and the pulls add up.",
}


def says(text: str, tokens: tuple[int, int]) -> ModelResponse:
    """A text response of the scripted model, with token usage."""
    return ModelResponse(ModelMessage(text), usage=usage(tokens), model="demo-small", provider="demo")


def calls(name: str, tokens: tuple[int, int], **arguments: object) -> ModelResponse:
    """A tool call of the scripted model."""
    call = ToolCallEvent(name, arguments=json.dumps(arguments))
    return ModelResponse(tool_calls=ToolCallsEvent([call]), usage=usage(tokens), model="demo-small", provider="demo")


def usage(tokens: tuple[int, int]) -> Usage:
    return Usage(prompt_tokens=tokens[0], completion_tokens=tokens[1], total_tokens=sum(tokens))


@tool
async def search(topic: str, context: Context, me: AgentClientInject = None, hub: HubInject = None) -> str:
    """Look a topic up in the library."""
    store = HubBackedCheckpointStore(hub)
    async with me.agent.task(f"search {topic}", capability="search", context=context, checkpoint_store=store) as task:
        found = {title: text for title, text in LIBRARY.items() if topic in title}
        await task.checkpoint({"topic": topic, "found": sorted(found)})
        await task.complete(sorted(found))
    return "\n".join(found.values())


class Failures(BaseHubListener):
    """Notifies this application that an agent's turn failed."""

    def __init__(self) -> None:
        self.queue: asyncio.Queue[str] = asyncio.Queue()

    async def on_turn_failed(self, channel_id: str, agent_id: str, envelope_id: str, exc: BaseException) -> None:
        await self.queue.put(f"{type(exc).__name__}: {exc}")


async def main() -> None:
    hub = await Hub.open(MemoryKnowledgeStore())
    failures = Failures()
    hub.register_listener(failures)

    coordinator = await hub.register(
        Agent(
            "coordinator",
            "You write briefings. You ask the researcher for facts.",
            config=TestConfig(
                calls("delegate", (180, 24), target="researcher", prompt="Why are some tides higher than others?"),
                says("Briefing: at new and full moon, sun and moon pull together. That is a spring tide.", (260, 31)),
            ),
        )
    )
    researcher = await hub.register(
        Agent(
            "researcher",
            "You answer from the library.",
            config=TestConfig(
                calls("search", (95, 12), topic="tides"),
                says("Twice a month sun and moon pull in one line; the library calls it a spring tide.", (150, 27)),
            ),
            tools=[search],
        ),
        resume=Resume(claimed_capabilities=["search"]),
    )
    reviewer = await hub.register(
        Agent("reviewer", "You check briefings.", config=TestConfig(TimeoutError("demo-large did not answer in time")))
    )

    print("application: coordinator, please write a briefing on tides")
    briefing = await coordinator.agent.ask("Write a briefing on tides.")
    print(f"coordinator: {briefing.body}")

    print("application: reviewer, please check it")
    review = await coordinator.open(type="conversation", target="reviewer", intent="review the briefing")
    await review.send(str(briefing.body))
    print(f"application: no review ({await asyncio.wait_for(failures.queue.get(), timeout=60)})")
    await review.close(reason="review_failed")

    for agent in (reviewer, researcher, coordinator):
        await agent.close()
    await hub.close()


if __name__ == "__main__":
    # AG2 logs a failed turn with its traceback; this application reports it itself, see Failures.
    logging.getLogger("ag2.network").setLevel(logging.CRITICAL)
    asyncio.run(main())

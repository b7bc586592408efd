"""Five agents on a network: a planner talks to the others, whose models are scripted. There is no tracing code here.

Each conversation is a channel. The writer calls a tool, the editor has a worker, and the clerk's model fails.
"""

import asyncio

from ag2 import Agent, TaskConfig
from ag2.events import ModelMessage, ModelResponse, ToolCallEvent, ToolCallsEvent, Usage
from ag2.knowledge import MemoryKnowledgeStore
from ag2.network import BaseHubListener, Hub
from ag2.testing import TestConfig
from ag2.tools import tool

#: Input and output tokens of each model call.
TOKENS = (50, 7)


def usage() -> Usage:
    return Usage(
        prompt_tokens=TOKENS[0], completion_tokens=TOKENS[1], total_tokens=sum(TOKENS), cache_read_input_tokens=20
    )


def says(text: str) -> ModelResponse:
    return ModelResponse(ModelMessage(text), usage=usage(), model="demo-small", provider="demo", finish_reason="stop")


def calls(name: str, arguments: str) -> ModelResponse:
    call = ToolCallEvent(name, arguments=arguments)
    return ModelResponse(tool_calls=ToolCallsEvent([call]), usage=usage(), model="demo-small", provider="demo")


@tool
async def look_up(word: str) -> str:
    """Look a word up."""
    return f"{word} means seven"


class Failures(BaseHubListener):
    """Tells when a turn fails."""

    def __init__(self) -> None:
        self.failed = asyncio.Event()

    async def on_turn_failed(self, channel_id, agent_id, envelope_id, exc) -> None:
        self.failed.set()


#: The models repeat their scripts in each turn.
AGENTS = [
    Agent(
        "writer", "You write.", config=TestConfig(calls("look_up", '{"word": "sept"}'), says("Seven.")), tools=[look_up]
    ),
    Agent("critic", "You criticise.", config=TestConfig(says("It is short."))),
    Agent(
        "editor",
        "You edit.",
        config=TestConfig(calls("run_subtask", '{"task": "Count the words."}'), says("One word.")),
        tasks=TaskConfig(config=TestConfig(says("One."))),
    ),
    Agent("clerk", "You file.", config=TestConfig(TimeoutError("the model is late"))),
]


async def main() -> None:
    hub = await Hub.open(MemoryKnowledgeStore())
    failures = Failures()
    hub.register_listener(failures)
    planner = await hub.register(Agent("planner", "You plan.", config=TestConfig()))
    members = [await hub.register(agent) for agent in AGENTS]
    answers: asyncio.Queue[str] = asyncio.Queue()

    async def take(envelope) -> None:
        if envelope.event_type == "ag2.msg.text":
            await answers.put(envelope.event_data["text"])

    planner.on_envelope(take)
    for agent in AGENTS:
        channel = await planner.open(type="conversation", target=agent.name, intent=f"ask the {agent.name}")
        await channel.send(f"The first question to the {agent.name}?")
        if agent.name == "clerk":
            await asyncio.wait_for(failures.failed.wait(), 30)
        else:
            print(await asyncio.wait_for(answers.get(), 30))
            await channel.send(f"The second question to the {agent.name}?")
            print(await asyncio.wait_for(answers.get(), 30))
        await channel.close(reason="done")
    for member in [planner, *members]:
        await member.close()
    await hub.close()


asyncio.run(main())

"""AG2's public API in the installed release, and everything that differs between releases."""

# ruff: noqa: F401 (the scenarios import these names from here)

from __future__ import annotations

import importlib
import warnings
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from packaging.version import Version

RELEASE = Version(version("ag2"))
RELEASES = [
    Version(line)
    for line in Path(__file__).with_name("releases.txt").read_text(encoding="utf-8").splitlines()
    if line and not line.startswith("#")
]
NEWEST = RELEASES[0]
"""The release whose native tracing is the pattern for ours on all others."""


def at_least(release: str) -> bool:
    """Whether the installed release is this one or a newer one."""
    return Version(release) <= RELEASE


PACKAGE = "ag2" if at_least("1.0") else "autogen.beta"
TRACES_ITSELF = at_least("1.0")
"""Whether AG2 brings a tracing of its hub."""

if TYPE_CHECKING or at_least("1.0"):
    from ag2 import Agent, Context, KnowledgeConfig, MemoryStream, TaskConfig, ToolResult, tool
    from ag2.compact import CompactTrigger, SummarizeCompact
    from ag2.config import LLMClient
    from ag2.context import ConversationContext
    from ag2.events import (
        BuiltinToolCallEvent,
        HumanInputRequest,
        ImageInput,
        ModelMessage,
        ModelMessageChunk,
        ModelRequest,
        ModelResponse,
        TextInput,
        ToolCallEvent,
        ToolCallsEvent,
        ToolErrorEvent,
    )
    from ag2.events.types import Usage, UsageEvent
    from ag2.knowledge import MemoryKnowledgeStore
    from ag2.network import (
        EV_CHANNEL_INVITE,
        EV_CHANNEL_INVITE_ACK,
        EV_CHANNEL_INVITE_REJECT,
        EV_TEXT,
        AccessBlock,
        AgentClient,
        AgentTarget,
        AuthBlock,
        BaseHubListener,
        ChannelInject,
        DiscussionAdapter,
        Envelope,
        Expectation,
        Finish,
        FromSpeaker,
        Handoff,
        Hub,
        HubBackedCheckpointStore,
        HubClient,
        InboxBlock,
        LimitsBlock,
        LocalLink,
        Passport,
        Resume,
        Rule,
        RuleBasedArbiter,
        Transition,
        TransitionGraph,
    )
    from ag2.network.workflow_helpers import set_context
    from ag2.task import TaskMetadata, TaskSpec, TaskState
    from ag2.testing import TestConfig
    from ag2.tools import WebSearchTool
else:
    with warnings.catch_warnings():
        # This imports all of autogen, which uses deprecated features of its dependencies.
        warnings.simplefilter("ignore", DeprecationWarning)
        importlib.import_module("autogen.beta")
    from autogen.beta import Agent, Context, KnowledgeConfig, MemoryStream, TaskConfig, ToolResult, tool
    from autogen.beta.compact import CompactTrigger, SummarizeCompact
    from autogen.beta.config import LLMClient
    from autogen.beta.context import ConversationContext
    from autogen.beta.events import (
        BuiltinToolCallEvent,
        HumanInputRequest,
        ImageInput,
        ModelMessage,
        ModelMessageChunk,
        ModelRequest,
        ModelResponse,
        TextInput,
        ToolCallEvent,
        ToolCallsEvent,
        ToolErrorEvent,
    )
    from autogen.beta.events.types import Usage, UsageEvent
    from autogen.beta.knowledge import MemoryKnowledgeStore
    from autogen.beta.network import (
        EV_CHANNEL_INVITE,
        EV_CHANNEL_INVITE_ACK,
        EV_CHANNEL_INVITE_REJECT,
        EV_TEXT,
        AccessBlock,
        AgentClient,
        AgentTarget,
        AuthBlock,
        BaseHubListener,
        ChannelInject,
        DiscussionAdapter,
        Envelope,
        Expectation,
        Finish,
        FromSpeaker,
        Handoff,
        Hub,
        HubBackedCheckpointStore,
        HubClient,
        InboxBlock,
        LimitsBlock,
        LocalLink,
        Passport,
        Resume,
        Rule,
        RuleBasedArbiter,
        Transition,
        TransitionGraph,
    )
    from autogen.beta.network.workflow_helpers import set_context
    from autogen.beta.task import TaskMetadata, TaskSpec, TaskState
    from autogen.beta.testing import TestConfig
    from autogen.beta.tools import WebSearchTool


_connections: WeakKeyDictionary[AgentClient, HubClient] = WeakKeyDictionary()


async def connect(hub: Hub, agent: Agent, **options: Any) -> AgentClient:
    """Register an agent with its own connection."""
    if at_least("0.14"):
        return await hub.register(agent, **options)
    connection = HubClient(LocalLink(hub), hub=hub)
    client = await register(connection, agent, **options)
    _connections[client] = connection
    return client


async def leave(client: AgentClient) -> None:
    """Unregister an agent and close its connection if no other agent shares it."""
    if at_least("0.14"):
        await client.close()
        return
    await client.unregister()
    if client in _connections:
        await _connections.pop(client).close()


async def register(connection: HubClient, agent: Agent, **options: Any) -> AgentClient:
    """Register an agent with a connection that others may share."""
    if not at_least("0.14"):
        options = {"passport": Passport(name=agent.name), "resume": Resume()} | options
    return await connection.register(agent, **options)


async def register_identity(hub: Hub, passport: Passport) -> str:
    """Register an identity that has no connection, and return its id."""
    method = hub.register_identity if at_least("0.14") else hub.register
    registered = await method(passport, Resume())
    return str(registered.agent_id)

"""The meaning of attributes: the only module that knows their names.

The tables follow OpenTelemetry's conventions for generative AI and messaging, and OpenInference. Those of a library
come first, because they are more specific.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from opentelemetry.instrumentation.declarative.libraries.ag2 import viewed as ag2
from opentelemetry.instrumentation.declarative.view.spans import Span

#: The roles of spans, by the values of an attribute. ``detail`` is not part of a story.
_ROLES: Mapping[str, Mapping[str, str]] = {
    **ag2.ROLES,
    "gen_ai.operation.name": {
        "invoke_agent": "turn",
        "invoke_workflow": "turn",
        "create_agent": "agent",
        "chat": "model",
        "text_completion": "model",
        "generate_content": "model",
        "embeddings": "model",
        "execute_tool": "tool",
    },
    "openinference.span.kind": {"AGENT": "turn", "LLM": "model", "EMBEDDING": "model", "TOOL": "tool"},
    "messaging.operation.type": {"create": "message", "send": "message", "publish": "message"},
}

_KEYS: Mapping[str, tuple[str, ...]] = {
    "agent_id": ("gen_ai.agent.id",),
    "agent_name": ("gen_ai.agent.name", "agent.name"),
    "channel": ("gen_ai.conversation.id", "messaging.message.conversation_id", "session.id"),
    "channel_type": (),
    "members": (),
    "message_id": ("messaging.message.id",),
    "message_type": ("messaging.destination.name",),
    "recipient_ids": (),
    "recipient_names": (),
    "text": ("input.value",),
    "task": ("gen_ai.task.id",),
    "task_name": ("gen_ai.task.name",),
    "outcome": (),
    "tool": ("gen_ai.tool.name", "tool.name"),
    "tool_arguments": ("gen_ai.tool.call.arguments", "input.value"),
    "model": ("gen_ai.response.model", "gen_ai.request.model", "llm.model_name"),
    "input_tokens": ("gen_ai.usage.input_tokens", "llm.token_count.prompt"),
    "output_tokens": ("gen_ai.usage.output_tokens", "llm.token_count.completion"),
    "output": ("gen_ai.output.messages", "output.value"),
    "error_type": ("error.type", "exception.type"),
    "error_message": ("exception.message",),
    #: The system that a client calls, such as a database.
    "system": ("peer.service", "db.system.name", "db.system", "messaging.system", "server.address", "net.peer.name"),
    "url": ("url.full", "http.url"),
    "link_kind": ("link.kind",),
    "ended_by": ("instrument.end",),
}

_ALL_KEYS = {meaning: ag2.KEYS.get(meaning, ()) + keys for meaning, keys in _KEYS.items()}

#: Kinds of links that say that a span belongs to another one, not what caused it.
MEMBERSHIPS = frozenset({"in_channel"})
#: Attributes with ids that nobody can read, and that have no name.
MESSAGE_IDS = frozenset(_ALL_KEYS["message_id"])
PLAIN_MESSAGE_TYPES = frozenset(ag2.PLAIN_MESSAGE_TYPES)
PLAIN_EVENTS = frozenset(ag2.PLAIN_EVENTS)
#: Roles of spans that last for long: they are open, or fail, because of something that happens during them.
LASTING = frozenset({"channel", "agent"})


def role_of(span: Span) -> str:
    """The role of a span in a network of agents; empty if it has none."""
    for key, roles in _ROLES.items():
        value = span.attributes.get(key)
        if isinstance(value, str) and value in roles:
            return roles[value]
    return ""


def value_of(attributes: Mapping[str, Any], meaning: str) -> Any:
    """The value of the first attribute with this meaning that is present and not empty; None if there is none."""
    for key in _ALL_KEYS[meaning]:
        value = attributes.get(key)
        if value not in (None, "", []):
            return value
    return None


def text_of(attributes: Mapping[str, Any], meaning: str) -> str:
    value = value_of(attributes, meaning)
    return "" if value is None else str(value)


def texts_of(attributes: Mapping[str, Any], meaning: str) -> list[str]:
    value = value_of(attributes, meaning)
    return [str(item) for item in value] if isinstance(value, (list, tuple)) else [] if value is None else [str(value)]


def number_of(attributes: Mapping[str, Any], meaning: str) -> int:
    value = value_of(attributes, meaning)
    return value if isinstance(value, int) else 0


def link_kind(attributes: Mapping[str, Any]) -> str:
    return text_of(attributes, "link_kind")

"""Deviations of form: what the shipped spec adds to AG2's own form, or records in another one.

Each rewrite changes spans of the shipped spec into those that it records under the overlay `ag2_native_form`.
"""

from __future__ import annotations

import json
import re
from typing import Any

from .compare import NormalSpan
from .rewrites import Rewrite, all_spans

INPUT, OUTPUT = "gen_ai.input.messages", "gen_ai.output.messages"
SUMMARY = "[Summary of earlier conversation]"
_TURN = re.compile(r"(invoke_agent [^/[]*[^/[ ])(?: \[[^]]*\])")
CONVERSATION = ("gen_ai.conversation.id",)
_AGENT = ("gen_ai.agent.id", "gen_ai.agent.name")
_NATIVELY_NAMED = ("agent_lifetime", "agent", "human_input")
ERROR_TYPE = ("error.type",)
_NAMES = ("ag2.network.recipient_names", "ag2.network.participant_names")
VIEWERS = ("openinference.span.kind", "input.value", "output.value")
_MODEL_OF_TURN = ("gen_ai.provider.name", "gen_ai.request.model", INPUT, OUTPUT)
TOKEN_NAMES = (
    "gen_ai.usage.cache_creation.input_tokens",
    "gen_ai.usage.cache_read.input_tokens",
    "gen_ai.usage.reasoning.output_tokens",
)
_TOKENS = ("input_tokens", "output_tokens", "cache_creation_input_tokens", "cache_read_input_tokens", "thinking_tokens")


def without(*keys: str) -> Rewrite:
    def rewrite(scenario: str, trees: list[NormalSpan]) -> None:
        for span in all_spans(trees):
            for key in keys:
                span.attributes.pop(key, None)

    return rewrite


def schema_url(scenario: str, trees: list[NormalSpan]) -> None:
    for span in all_spans(trees):
        name, version, url, *more = span.scope
        if url == "https://opentelemetry.io/schemas/1.41.0":
            span.scope = (name, version, "https://opentelemetry.io/schemas/1.11.0", *more)


def without_agents(scenario: str, trees: list[NormalSpan]) -> None:
    for span in all_spans(trees):
        for key in _AGENT:
            if key == "gen_ai.agent.id" or span.type not in _NATIVELY_NAMED:
                span.attributes.pop(key, None)


def without_names(scenario: str, trees: list[NormalSpan]) -> None:
    for span in all_spans(trees):
        for key in (*_NAMES, *(["ag2.network.manifest_type"] if span.type == "envelope" else [])):
            span.attributes.pop(key, None)


def without_model_of_turn(scenario: str, trees: list[NormalSpan]) -> None:
    for span in all_spans(trees):
        if span.type == "agent":
            for key in _MODEL_OF_TURN:
                span.attributes.pop(key, None)


def messages_without_parts(scenario: str, trees: list[NormalSpan]) -> None:
    for span in all_spans(trees):
        for key in (INPUT, OUTPUT):
            if span.type == "llm" and key in span.attributes:
                messages = json.loads(span.attributes[key])
                span.attributes[key] = json.dumps([_native_message(message) for message in messages])


def _native_message(message: dict[str, Any]) -> dict[str, Any]:
    parts = message["parts"]
    if message["role"] == "tool":
        return {"role": "tool", "tool_call_id": parts[0]["id"], "content": parts[0]["response"]}
    calls = [_native_call(part) for part in parts if part["type"] == "tool_call"]
    texts = [part["content"] for part in parts if part["type"] == "text"]
    content = message.get("content", texts[0] if texts else None if calls else "")
    if str(content).startswith(SUMMARY):
        return {"role": message["role"], "content": content}
    return {"content": content, "role": message["role"], **({"tool_calls": calls} if calls else {})}


def _native_call(part: dict[str, Any]) -> dict[str, Any]:
    arguments = part["arguments"]
    text = arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False)
    return {"id": part["id"], "type": "function", "function": {"arguments": text, "name": part["name"]}}


def tokens_twice(scenario: str, trees: list[NormalSpan]) -> None:
    for span in all_spans(trees):
        if span.type == "usage":
            for name in _TOKENS:
                if (count := span.attributes.pop(f"ag2.usage.{name}", None)) is not None:
                    span.attributes[f"gen_ai.usage.{name}"] = count


def without_turn_failures(scenario: str, trees: list[NormalSpan]) -> None:
    for span in all_spans(trees):
        span.children = [child for child in span.children if child.type != "turn_failed"]
        if span.attributes.pop("ag2.network.turn_failures", None):
            if span.type == "agent_lifetime":
                span.events = [event for event in span.events if event[0] != "turn_failed"]
            elif str(span.status[1]).endswith("turn failure(s)"):
                span.status = ("UNSET", None)


def without_turn_identity(scenario: str, trees: list[NormalSpan]) -> None:
    for span in all_spans(trees):
        if span.type == "agent":
            for key in ("ag2.agent.id", "ag2.agent.available_tools", "ag2.network.channel_id"):
                span.attributes.pop(key, None)
        # The paths of links contain the turn's attributes too.
        span.links = [(_TURN.sub(r"\1", target), attributes) for target, attributes in span.links]


def without_unknown_tools(scenario: str, trees: list[NormalSpan]) -> None:
    for span in all_spans(trees):
        span.events = [event for event in span.events if event[0] != "tool_not_found"]


def without_recipients_away(scenario: str, trees: list[NormalSpan]) -> None:
    for span in all_spans(trees):
        if span.type == "envelope":
            span.attributes.pop("ag2.network.recipients_away", None)


def without_forward_links(scenario: str, trees: list[NormalSpan]) -> None:
    for span in all_spans(trees):
        span.links = [link for link in span.links if link[1].get("ag2.link.kind") not in ("triggers", "opens")]

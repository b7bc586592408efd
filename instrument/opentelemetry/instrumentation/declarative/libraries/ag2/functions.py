"""AG2's messages and tool results as the texts that its own tracing records.

Events are told apart by the names of their classes: the same names have moved between packages from release to release.
"""

from __future__ import annotations

import dataclasses
import functools
import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

#: A tool result longer than this is cut, as AG2 does by default.
LONGEST_RESULT = 8_192
_CUT = "...[truncated]"
_CONDITIONS = frozenset({"TypeCondition", "OpCondition", "AndCondition", "OrCondition", "NotCondition"})


class ToolResultText(NamedTuple):
    """A tool's result as text, and whether it was cut."""

    text: str
    truncated: bool


def input_messages(events: Sequence[Any]) -> str:
    """The history that is sent to the model, as a JSON list of role-and-content messages."""
    return _dump(list(_messages(events)))


def output_messages(response: Any) -> str | None:
    """The model's reply as a JSON list of one message; None for a reply that holds neither text nor a tool call."""
    if response is None or not (response.message or response.tool_calls):
        return None
    return _dump([_reply(response)])


def tool_result(event: Any) -> ToolResultText | None:
    """The text of what a tool gave back; None for an error or an empty result."""
    kinds = _kinds(event)
    if "ToolResultEvent" not in kinds or "ToolErrorEvent" in kinds or not event.result.parts:
        return None
    return _result_text(event.result)


def listened_natively(hub: Any) -> bool:
    """Whether the application has given this hub AG2's own telemetry listener, which tells of channels and agents."""
    return bool(_native_listeners(hub))


def native_lifetime(hub: Any, agent_id: str) -> bool:
    """Whether AG2's own listener has an open span for an agent: it tells nothing of one that it did not see come."""
    return any(agent_id in getattr(listener, "_agent_spans", (agent_id,)) for listener in _native_listeners(hub))


def traced_natively(call_next: Any, agent: Any, event: Any) -> bool:
    """Whether AG2's own telemetry middleware sees this call: further in, or plugged into the agent further out."""
    if any(_is_native(getattr(hook, "__self__", None), event) for hook in _further_in(call_next)):
        return True
    return any(_is_native(factory, event) for factory in getattr(agent, "_middleware", ()))


def native_channel(hub: Any, channel_id: str) -> str | None:
    """The traceparent of the open span that AG2's own listener has for a channel."""
    for listener in _native_listeners(hub):
        found = listener.channel_span_context(channel_id)
        if found:
            return f"00-{found.trace_id:032x}-{found.span_id:016x}-{found.trace_flags:02x}"
    return None


def _native_listeners(hub: Any) -> list[Any]:
    return [one for one in getattr(hub, "_listeners", ()) if hasattr(one, "channel_span_context")]


def recipients_away(hub: Any, envelope: Any, metadata: Any) -> list[str] | None:
    """The ids of those whom an envelope is for and who have no connection; None where all have one."""
    if envelope.audience is None:
        ids = [one.agent_id for one in metadata.participants if one.agent_id != envelope.sender_id]
    else:
        ids = envelope.audience
    bound, there = hub._agent_to_endpoint, hub._endpoints_by_id
    return [one for one in ids if bound.get(one) not in there and not _elsewhere(hub, one)] or None


def _elsewhere(hub: Any, agent_id: str) -> bool:
    """Whether an agent belongs to another hub, which is asked over a bridge and not over a connection."""
    return getattr(hub._passports.get(agent_id), "effective_kind", None) == "remote_agent"


def humans_at(hub: Any, endpoint: Any) -> list[str]:
    """The ids of the people, not agents, at one end of a connection."""
    ids = hub._endpoint_to_agents.get(endpoint.endpoint_id, ())
    return sorted(one for one in ids if (passport := hub._passports.get(one)) and passport.kind == "human")


def available_tools(call_next: Any) -> list[str] | None:
    """The names of the tools that a model is offered, in order; None where it is offered none."""
    while isinstance(call_next, functools.partial):
        if "tools" in call_next.keywords:
            return sorted({_tool_name(schema) for schema in call_next.keywords["tools"]}) or None
        call_next = next(iter(call_next.args), None)
    return None


def json_size(state: Any) -> int:
    """How long a checkpoint is as AG2 stores it."""
    return len(json.dumps(dict(state)))


def _tool_name(schema: Any) -> str:
    function = getattr(schema, "function", None)
    return str(function.name if function is not None else schema.type)


def _further_in(call_next: Any) -> Iterator[Any]:
    """The middleware's methods that a call still passes through: AG2 chains partials or, for tools, closures."""
    hook: Any
    while call_next is not None:
        if isinstance(call_next, functools.partial):
            hook, call_next = call_next.func, next(iter(call_next.args), None)
        elif closure := getattr(call_next, "__closure__", None):
            held = dict(zip(call_next.__code__.co_freevars, (cell.cell_contents for cell in closure), strict=True))
            hook, call_next = held.get("hook"), held.get("inner")
        else:
            return
        yield hook


def _is_native(middleware: Any, event: Any) -> bool:
    """AG2's middleware, or the factory of it, also inside a conditional one that lets this event through."""
    while middleware is not None:
        if _kinds(middleware) & {"TelemetryMiddleware", "_TelemetryMiddlewareInstance"}:
            return True
        condition: Any = getattr(middleware, "_condition", None)
        if _can_be_asked(condition) and not condition(event):
            return False
        middleware = getattr(middleware, "_inner", None) or getattr(middleware, "_middleware", None)
    return False


def _can_be_asked(condition: Any) -> bool:
    """Whether a condition is made of AG2's own only: one of the application's may notice that it is asked once more."""
    if type(condition).__name__ not in _CONDITIONS:
        return False
    parts = [*getattr(condition, "conditions", ()), *filter(None, [getattr(condition, "condition", None)])]
    return all(map(_can_be_asked, parts))


def _messages(events: Sequence[Any]) -> Iterator[dict[str, Any]]:
    # A result stands in the history alone and again in the event that collects a round's results: it is told once.
    collected = {
        result.parent_id for event in events if "ToolResultsEvent" in _kinds(event) for result in event.results
    } - {None, ""}
    for event in events:
        kinds = _kinds(event)
        if "ModelRequest" in kinds:
            yield from (part.to_api() for part in event.parts if "TextInput" in _kinds(part))
        elif "ModelResponse" in kinds:
            yield _reply(event)
        elif "BuiltinToolCallEvent" in kinds:
            yield {"content": None, "role": "assistant", "tool_calls": [_tool_call(event)]}
        elif "ToolResultsEvent" in kinds:
            yield from map(_tool_message, event.results)
        elif "ToolResultEvent" in kinds:
            if event.parent_id and event.parent_id not in collected:
                collected.add(event.parent_id)
                yield _tool_message(event)
        elif "CompactionSummary" in kinds:
            yield {"role": "user", "content": f"[Summary of earlier conversation]\n{event.summary}"}


def _reply(response: Any) -> dict[str, Any]:
    message: dict[str, Any] = {"content": response.content, "role": "assistant"}
    if response.tool_calls:
        message["tool_calls"] = [_tool_call(call) for call in response.tool_calls.calls]
    return message


def _tool_call(call: Any) -> dict[str, Any]:
    return {"id": call.id, "type": "function", "function": {"arguments": call.arguments, "name": call.name}}


def _tool_message(event: Any) -> dict[str, Any]:
    return {"role": "tool", "tool_call_id": event.parent_id, "content": _result_text(event.result).text}


def _result_text(result: Any) -> ToolResultText:
    text = "\n".join(_part_texts(result.parts))
    if len(text) <= LONGEST_RESULT:
        return ToolResultText(text, False)
    return ToolResultText(text[: LONGEST_RESULT - len(_CUT)] + _CUT, True)


def _part_texts(parts: Iterable[Any]) -> Iterator[str]:
    """The parts that have a text; a file or binary part has none, and none is made up for it."""
    for part in parts:
        kinds = _kinds(part)
        if "TextInput" in kinds:
            yield part.content
        elif "DataInput" in kinds:
            try:
                yield _dump(part.data)
            except Exception:
                yield repr(part.data)
        elif "UrlInput" in kinds:
            yield part.url
        elif not kinds & {"FileIdInput", "BinaryInput"}:
            yield repr(part)


def _kinds(value: Any) -> frozenset[str]:
    return frozenset(base.__name__ for base in type(value).__mro__)


def _dump(value: Any) -> str:
    return json.dumps(value, default=_plain)


def _plain(value: Any) -> Any:
    if callable(getattr(value, "model_dump", None)):
        return value.model_dump(mode="json")
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    if isinstance(value, (set, frozenset)):
        return sorted(value, key=str)
    return str(value)

"""Functions of AG2's spec: messages and tool results as AG2's own tracing records them, and AG2's native tracing.

Events are identified by the names of their classes: AG2 has moved the classes between packages in several releases.
"""

from __future__ import annotations

import dataclasses
import functools
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

#: A tool result longer than this is truncated, as by AG2's default.
MOST_RESULT_CHARACTERS = 8_192
_TRUNCATION_MARK = "...[truncated]"
_CODE = re.compile(r"[A-Za-z_]{1,64}(?::\w{1,64})?")
_CONDITIONS = frozenset({"TypeCondition", "OpCondition", "AndCondition", "OrCondition", "NotCondition"})


class ToolResultText(NamedTuple):
    """A tool's result as text, and whether it was truncated."""

    text: str
    truncated: bool


def input_messages(events: Sequence[Any]) -> str:
    """Return the history that is sent to the model as a JSON list of messages with a role and content."""
    return _to_json(list(_messages(events)))


def output_messages(response: Any) -> str | None:
    """Return the model's reply as a JSON list of one message; None if it has neither text nor a tool call."""
    if response is None or not (response.message or response.tool_calls):
        return None
    return _to_json([_reply(response)])


def tool_result(event: Any) -> ToolResultText | None:
    """Return the text of a tool's result; None for an error or an empty result."""
    kinds = _class_names(event)
    if "ToolResultEvent" not in kinds or "ToolErrorEvent" in kinds or not event.result.parts:
        return None
    return _result_text(event.result)


def is_code(reason: Any) -> bool:
    """Whether a reason is missing or a code, as those that AG2 generates (`expectation_violated:reply_within`)."""
    return not reason or (isinstance(reason, str) and _CODE.fullmatch(reason) is not None)


def requested_model(config: Any) -> str | None:
    """Return the name of the model that a model configuration requests; None if it names none."""
    return _named_by(config, "model")


def requested_provider(config: Any) -> str | None:
    """Return the name of the provider that a model configuration uses; None if it names none."""
    return _named_by(config, "provider")


def _named_by(config: Any, attribute: str) -> str | None:
    """The value of an attribute that a configuration need not have; reading it may raise anything."""
    try:
        found = getattr(config, attribute)
    except Exception:
        return None
    found = getattr(found, "value", found)
    return found if isinstance(found, str) and found else None


def listened_natively(hub: Any) -> bool:
    """Whether the application has added AG2's own telemetry listener to this hub, which traces channels and agents."""
    return bool(_native_listeners(hub))


def native_lifetime(hub: Any, agent_id: str) -> bool:
    """Whether AG2's own listener has an open span for an agent; it has none for an agent that existed before it."""
    return any(agent_id in getattr(listener, "_agent_spans", (agent_id,)) for listener in _native_listeners(hub))


def traced_natively(call_next: Any, agent: Any, event: Any) -> bool:
    """Whether AG2's own telemetry middleware traces this call: in the rest of the chain, or added to the agent."""
    if any(_is_native(getattr(hook, "__self__", None), event) for hook in _rest_of_chain(call_next)):
        return True
    return any(_is_native(factory, event) for factory in getattr(agent, "_middleware", ()))


def native_channel(hub: Any, channel_id: str) -> str | None:
    """Return the traceparent of the open span that AG2's own listener has for a channel."""
    for listener in _native_listeners(hub):
        found = listener.channel_span_context(channel_id)
        if found:
            return f"00-{found.trace_id:032x}-{found.span_id:016x}-{found.trace_flags:02x}"
    return None


def _native_listeners(hub: Any) -> list[Any]:
    return [each for each in getattr(hub, "_listeners", ()) if hasattr(each, "channel_span_context")]


def recipients_away(hub: Any, envelope: Any, metadata: Any) -> list[str] | None:
    """Return the ids of an envelope's recipients that are not connected; None if all of them are."""
    if envelope.audience is None:
        ids = [each.agent_id for each in metadata.participants if each.agent_id != envelope.sender_id]
    else:
        ids = envelope.audience
    endpoints, connected = hub._agent_to_endpoint, hub._endpoints_by_id
    return [
        agent_id
        for agent_id in ids
        if endpoints.get(agent_id) not in connected and not _belongs_to_other_hub(hub, agent_id)
    ] or None


def _belongs_to_other_hub(hub: Any, agent_id: str) -> bool:
    """Whether an agent belongs to another hub, which is reached over a bridge and not over a connection."""
    return getattr(hub._passports.get(agent_id), "effective_kind", None) == "remote_agent"


def humans_at(hub: Any, endpoint: Any) -> list[str]:
    """Return the ids of the humans at one end of a connection."""
    ids = hub._endpoint_to_agents.get(endpoint.endpoint_id, ())
    return sorted(each for each in ids if (passport := hub._passports.get(each)) and passport.kind == "human")


def available_tools(call_next: Any) -> list[str] | None:
    """Return the sorted names of the tools that a model is offered; None if it is offered none."""
    while isinstance(call_next, functools.partial):
        if "tools" in call_next.keywords:
            return sorted({_tool_name(schema) for schema in call_next.keywords["tools"]}) or None
        call_next = next(iter(call_next.args), None)
    return None


def json_size(state: Any) -> int:
    """Return the length of a checkpoint as AG2 stores it, in characters."""
    return len(json.dumps(dict(state)))


def _tool_name(schema: Any) -> str:
    function = getattr(schema, "function", None)
    return str(function.name if function is not None else schema.type)


def _rest_of_chain(call_next: Any) -> Iterator[Any]:
    """The middleware methods that a call has yet to go through: AG2 chains partials or, for tools, closures."""
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
    """Whether this is AG2's middleware or its factory, possibly inside a conditional one that applies to this event."""
    while middleware is not None:
        if _class_names(middleware) & {"TelemetryMiddleware", "_TelemetryMiddlewareInstance"}:
            return True
        condition: Any = getattr(middleware, "_condition", None)
        if _is_side_effect_free(condition) and not condition(event):
            return False
        middleware = getattr(middleware, "_inner", None) or getattr(middleware, "_middleware", None)
    return False


def _is_side_effect_free(condition: Any) -> bool:
    """Whether a condition consists of AG2's own classes only: the application's may have side effects when called."""
    if type(condition).__name__ not in _CONDITIONS:
        return False
    parts = [*getattr(condition, "conditions", ()), *filter(None, [getattr(condition, "condition", None)])]
    return all(map(_is_side_effect_free, parts))


def _messages(events: Sequence[Any]) -> Iterator[dict[str, Any]]:
    # The history contains a result twice: on its own, and in the event that collects the results of a round.
    collected = {
        result.parent_id for event in events if "ToolResultsEvent" in _class_names(event) for result in event.results
    } - {None, ""}
    for event in events:
        kinds = _class_names(event)
        if "ModelRequest" in kinds:
            yield from (part.to_api() for part in event.parts if "TextInput" in _class_names(part))
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
    if len(text) <= MOST_RESULT_CHARACTERS:
        return ToolResultText(text, False)
    return ToolResultText(text[: MOST_RESULT_CHARACTERS - len(_TRUNCATION_MARK)] + _TRUNCATION_MARK, True)


def _part_texts(parts: Iterable[Any]) -> Iterator[str]:
    """The texts of the parts that have one. A file or binary part has none."""
    for part in parts:
        kinds = _class_names(part)
        if "TextInput" in kinds:
            yield part.content
        elif "DataInput" in kinds:
            try:
                yield _to_json(part.data)
            except Exception:
                yield repr(part.data)
        elif "UrlInput" in kinds:
            yield part.url
        elif not kinds & {"FileIdInput", "BinaryInput"}:
            yield repr(part)


def _class_names(value: Any) -> frozenset[str]:
    return frozenset(base.__name__ for base in type(value).__mro__)


def _to_json(value: Any) -> str:
    return json.dumps(value, default=_jsonable)


def _jsonable(value: Any) -> Any:
    if callable(getattr(value, "model_dump", None)):
        return value.model_dump(mode="json")
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    if isinstance(value, (set, frozenset)):
        return sorted(value, key=str)
    return str(value)

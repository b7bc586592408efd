"""Functions of AG2's spec: model configurations, recipients, tools, and AG2's native tracing."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from opentelemetry.instrumentation.declarative.libraries.ag2.messages import class_names

_CODE = re.compile(r"[A-Za-z_]{1,64}(?::\w{1,64})?")
_WORKER = re.compile(r"subtask-[0-9a-f]{8}")
_CONDITIONS = frozenset({"TypeCondition", "OpCondition", "AndCondition", "OrCondition", "NotCondition"})


def is_code(reason: Any) -> bool:
    """Whether a reason is missing or a code, as those that AG2 generates (`expectation_violated:reply_within`)."""
    return not reason or (isinstance(reason, str) and _CODE.fullmatch(reason) is not None)


def is_worker(name: Any) -> bool:
    """Whether an agent has the name of those that AG2 creates for a subtask."""
    return isinstance(name, str) and _WORKER.fullmatch(name) is not None


def requested_model(config: Any) -> str | None:
    """Return the name of the model that a model configuration requests; None if it names none."""
    return _named_by(config, "model")


def requested_provider(config: Any) -> str | None:
    """Return the name of the provider that a model configuration uses; None if it names none."""
    return _named_by(config, "provider")


class Server(NamedTuple):
    """The address and port of the server that a model client calls."""

    address: str
    port: int | None


def server_of(config: Any, call_next: Any) -> Server | None:
    """Return the server of a model call, from the client that it ends at or from its configuration; None if unknown."""
    client = getattr(called_client(call_next), "_client", None)
    for place, attribute in ((client, "base_url"), (config, "base_url"), (config, "host")):
        if (found := _server_in(place, attribute)) is not None:
            return found
    return None


def _server_in(place: Any, attribute: str) -> Server | None:
    try:
        url = urlsplit(str(getattr(place, attribute, None) or ""))
        port = url.port or {"https": 443, "http": 80}.get(url.scheme)
    except Exception:  # what a client has under this name may be anything
        return None
    return Server(url.hostname, port) if url.hostname else None


def called_client(call_next: Any) -> Any:
    """Return the model client that a chain of middleware ends at."""
    while isinstance(call_next, functools.partial) and call_next.args:
        call_next = call_next.args[0]
    return call_next.func if isinstance(call_next, functools.partial) else call_next


def _named_by(config: Any, attribute: str) -> str | None:
    """The value of an attribute that a configuration need not have; reading it may raise anything."""
    try:
        found = getattr(config, attribute)
    except Exception:
        return None
    found = getattr(found, "value", found)
    return found if isinstance(found, str) and found else None


def listened_natively(hub: Any) -> bool:
    """Whether the program has added AG2's own telemetry listener to this hub, which traces channels and agents."""
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


def recipient_names(hub: Any, envelope: Any) -> list[str] | None:
    """Return the known names of the recipients of an envelope: its audience, or all other participants."""
    ids = envelope.audience
    if ids is None:
        channel = hub._channels.get(envelope.channel_id)
        ids = [each.agent_id for each in channel.participants if each.agent_id != envelope.sender_id] if channel else ()
    passports = hub._passports
    return [passports[each].name for each in ids if each in passports] or None


def participant_names(hub: Any, channel: Any) -> list[str] | None:
    """Return the names of a channel's participants that the hub knows."""
    passports = hub._passports
    return [passports[each.agent_id].name for each in channel.participants if each.agent_id in passports] or None


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
        if class_names(middleware) & {"TelemetryMiddleware", "_TelemetryMiddlewareInstance"}:
            return True
        condition: Any = getattr(middleware, "_condition", None)
        if _is_side_effect_free(condition) and not condition(event):
            return False
        middleware = getattr(middleware, "_inner", None) or getattr(middleware, "_middleware", None)
    return False


def _is_side_effect_free(condition: Any) -> bool:
    """Whether a condition consists of AG2's own classes only: the program's may have side effects when called."""
    if type(condition).__name__ not in _CONDITIONS:
        return False
    parts = [*getattr(condition, "conditions", ()), *filter(None, [getattr(condition, "condition", None)])]
    return all(map(_is_side_effect_free, parts))

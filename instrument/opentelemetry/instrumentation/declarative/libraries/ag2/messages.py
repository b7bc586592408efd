"""Messages and tool results of AG2, in the form of OpenTelemetry's conventions and in that of AG2's own tracing.

Events are identified by the names of their classes: AG2 has moved the classes between packages in several releases.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

#: A tool result longer than this is truncated, as by AG2's default.
MOST_RESULT_CHARACTERS = 8_192
_TRUNCATION_MARK = "...[truncated]"


class ToolResultText(NamedTuple):
    """A tool's result as text, and whether it was truncated."""

    text: str
    truncated: bool


# ── In the form of the conventions: a role and parts ──


def input_messages(events: Sequence[Any]) -> str:
    """Return the history that is sent to the model as a JSON list of messages."""
    return _to_json([{"role": message["role"], "parts": _parts(message)} for message in _messages(events)])


def output_messages(response: Any) -> str | None:
    """Return the model's reply as a JSON list of one message; None if it has neither text nor a tool call.

    It also has the `content` of AG2's own form, which AG2's evaluation of recorded traces reads.
    """
    if not _has_content(response):
        return None
    reply = _reply(response)
    finish_reason = getattr(response, "finish_reason", None) or ("tool_call" if response.tool_calls else "stop")
    message = {"role": reply["role"], "parts": _parts(reply), "finish_reason": finish_reason}
    return _to_json([{**message, "content": reply["content"]}])


def system_instructions(context: Any) -> str | None:
    """Return the system prompts of a turn as a JSON list of parts; None if there is none."""
    found = [_text_part(prompt) for prompt in context.prompt if prompt]
    return _to_json(found) if found else None


def text_of(event: Any) -> str | None:
    """Return the text of a request to an agent; None if it has none."""
    return "\n".join(message["content"] for message in _messages([event]) if message["content"]) or None


def _parts(message: dict[str, Any]) -> list[dict[str, Any]]:
    if message["role"] == "tool":
        return [{"type": "tool_call_response", "id": message["tool_call_id"], "response": message["content"]}]
    texts = [_text_part(message["content"])] if message["content"] else []
    return texts + [_tool_call_part(call) for call in message.get("tool_calls", ())]


def _text_part(text: str) -> dict[str, Any]:
    return {"type": "text", "content": text}


def _tool_call_part(call: dict[str, Any]) -> dict[str, Any]:
    function = call["function"]
    try:
        arguments = json.loads(function["arguments"])
    except (TypeError, ValueError):
        arguments = function["arguments"]
    return {"type": "tool_call", "id": call["id"], "name": function["name"], "arguments": arguments}


# ── In the form of AG2's own tracing: a role, a content and tool calls ──


def native_input_messages(events: Sequence[Any]) -> str:
    """Return the history that is sent to the model as a JSON list of messages with a role and content."""
    return _to_json(list(_messages(events)))


def native_output_messages(response: Any) -> str | None:
    """Return the model's reply as a JSON list of one message; None if it has neither text nor a tool call."""
    return _to_json([_reply(response)]) if _has_content(response) else None


def tool_result(event: Any) -> ToolResultText | None:
    """Return the text of a tool's result; None for an error or an empty result."""
    kinds = class_names(event)
    if "ToolResultEvent" not in kinds or "ToolErrorEvent" in kinds or not event.result.parts:
        return None
    return _result_text(event.result)


def _has_content(response: Any) -> bool:
    return response is not None and bool(response.message or response.tool_calls)


def _messages(events: Sequence[Any]) -> Iterator[dict[str, Any]]:
    # The history contains a result twice: on its own, and in the event that collects the results of a round.
    collected = {
        result.parent_id for event in events if "ToolResultsEvent" in class_names(event) for result in event.results
    } - {None, ""}
    for event in events:
        kinds = class_names(event)
        if "ModelRequest" in kinds:
            yield from (part.to_api() for part in event.parts if "TextInput" in class_names(part))
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
        kinds = class_names(part)
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


def class_names(value: Any) -> frozenset[str]:
    """Return the names of the class of a value and of its bases."""
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

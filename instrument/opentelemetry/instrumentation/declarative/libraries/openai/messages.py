"""Messages in the form of OpenTelemetry's semantic conventions: JSON lists of a role and parts.

https://opentelemetry.io/docs/specs/semconv/gen-ai/
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

Part = dict[str, Any]


def input_messages(given: Any) -> str | None:
    """Return the messages of a chat completion, or the input of a response."""
    if isinstance(given, str):
        return _json([{"role": "user", "parts": [_text(given)]}])
    # An iterator is left to the program: reading would exhaust it.
    return _json([_input_message(item) for item in given]) if isinstance(given, (list, tuple)) else None


def system_instructions(instructions: str | None) -> str | None:
    """Return the instructions of a response."""
    return _json([_text(instructions)]) if isinstance(instructions, str) else None


def output_messages(answer: Any) -> str | None:
    """Return the choices of a chat completion, or the output of a response."""
    if answer is None:
        return None
    choices = _get(answer, "choices")
    messages = [*(_chosen(choices) if choices else _output(answer))]
    return _json(messages) if messages else None


def streamed_messages(
    text: str | None, tool_calls: Iterable[Any] | None, finish_reason: str | None, further: Iterable[Any] | None = None
) -> str | None:
    """Return the messages of a streamed chat completion, from the parts of the first choice, and of further ones."""
    first = _assembled(text, tool_calls)
    messages = [_answer(first, finish_reason)] if first else []
    by_index: dict[int, list[Any]] = {}
    for choice in further or ():
        by_index.setdefault(choice.index, []).append(choice)
    for _, choices in sorted(by_index.items()):
        deltas = [choice.delta for choice in choices]
        joined = "".join(_get(delta, "content") or _get(delta, "refusal") or "" for delta in deltas)
        reasons = [reason for choice in choices if (reason := _get(choice, "finish_reason"))]
        parts = _assembled(joined, (_get(delta, "tool_calls") for delta in deltas))
        messages.append(_answer(parts, reasons[-1] if reasons else None))
    return _json(messages) if messages else None


def _assembled(text: str | None, tool_calls: Iterable[Any] | None) -> list[Part]:
    """The parts of a message, from its text and the pieces of its tool calls."""
    calls: dict[int, Part] = {}
    for piece in (piece for pieces in tool_calls or () for piece in pieces or ()):
        function = _get(piece, "function")
        call = calls.setdefault(piece.index, _tool_call(_get(piece, "id"), _get(function, "name"), ""))
        call["arguments"] += _get(function, "arguments") or ""
    return [
        *([_text(text)] if text else []),
        *({**call, "arguments": _loaded(call["arguments"])} for call in calls.values()),
    ]


def _input_message(item: Any) -> dict[str, Any]:
    kind = _get(item, "type")
    if kind == "function_call":
        return {"role": "assistant", "parts": [_called(item, _get(item, "call_id"))]}
    if kind == "function_call_output":
        return {"role": "tool", "parts": [_tool_response(_get(item, "call_id"), _get(item, "output"))]}
    role = str(_get(item, "role"))
    if role == "tool":
        return {"role": role, "parts": [_tool_response(_get(item, "tool_call_id"), _get(item, "content"))]}
    return {"role": role, "parts": [*_contents(_get(item, "content")), *_tool_calls(item)]}


def _chosen(choices: Iterable[Any]) -> Iterator[dict[str, Any]]:
    for choice in choices:
        message = _get(choice, "message")
        refusal = _get(message, "refusal")
        parts = [*_contents(_get(message, "content")), *_contents(refusal), *_tool_calls(message)]
        yield _answer(parts, _get(choice, "finish_reason"))


def _output(response: Any) -> Iterator[dict[str, Any]]:
    incomplete = _get(_get(response, "incomplete_details"), "reason")
    for item in _get(response, "output") or ():
        convert = _OUTPUT.get(_get(item, "type"))
        parts = convert(item) if convert else []
        status = _get(item, "status")
        if parts:
            yield _answer(parts, "stop" if status == "completed" else incomplete or status)


def _answer(parts: list[Part], finish_reason: Any) -> dict[str, Any]:
    return {"role": "assistant", "parts": parts, "finish_reason": finish_reason or "error"}


def _contents(content: Any) -> list[Part]:
    """The parts of a content: a text, or a list of parts of which only texts are recorded in full."""
    if isinstance(content, str):
        return [_text(content)] if content else []
    return [_content(part) for part in content] if isinstance(content, (list, tuple)) else []


def _content(part: Any) -> Part:
    if isinstance(part, str):
        return _text(part)
    text = _get(part, "text") or _get(part, "refusal")
    # Images, sounds and files can be large.
    return _text(text) if isinstance(text, str) else {"type": str(_get(part, "type"))}


def _reasoning(item: Any) -> list[Part]:
    texts = (_get(part, "text") for part in _get(item, "summary") or ())
    return [{"type": "reasoning", "content": text} for text in texts if text]


def _tool_calls(message: Any) -> list[Part]:
    found = _get(message, "tool_calls")
    if not isinstance(found, (list, tuple)):
        return []
    return [_called(_get(call, "function") or _get(call, "custom"), _get(call, "id")) for call in found]


def _called(function: Any, id: Any) -> Part:
    arguments = _get(function, "arguments")
    return _tool_call(
        id, _get(function, "name"), _loaded(arguments if arguments is not None else _get(function, "input"))
    )


def _tool_call(id: Any, name: Any, arguments: Any) -> Part:
    return {"type": "tool_call", "id": id, "name": name, "arguments": arguments}


def _tool_response(id: Any, response: Any) -> Part:
    return {"type": "tool_call_response", "id": id, "response": response}


def _text(content: str) -> Part:
    return {"type": "text", "content": content}


def _loaded(arguments: Any) -> Any:
    """The arguments of a tool, which a model writes as JSON that can be malformed."""
    if not isinstance(arguments, str):
        return arguments
    try:
        return json.loads(arguments)
    except ValueError:
        return arguments


def _get(item: Any, name: str) -> Any:
    """A field of a mapping, or of an object of the client."""
    return item.get(name) if isinstance(item, Mapping) else getattr(item, name, None)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)


_OUTPUT: dict[Any, Callable[[Any], list[Part]]] = {
    "message": lambda item: _contents(_get(item, "content")),
    "function_call": lambda item: [_called(item, _get(item, "call_id"))],
    "custom_tool_call": lambda item: [_called(item, _get(item, "call_id"))],
    "reasoning": _reasoning,
}

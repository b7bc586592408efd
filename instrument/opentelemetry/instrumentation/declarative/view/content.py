"""The text of messages in the forms in which they are recorded."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from opentelemetry.instrumentation.declarative.view.conventions import text_of, value_of

#: More of a text is not read: it is shortened anyway, and may be megabytes.
_MAX_PARSED = 200_000


def plain_text(text: str) -> str:
    """A text on one line."""
    return " ".join(text[:_MAX_PARSED].split())


def output_text(attributes: Mapping[str, Any]) -> str:
    """The last text that a model returns; empty if it is not recorded, or only calls of tools are returned."""
    messages = value_of(attributes, "output")
    if isinstance(messages, str):
        if len(messages) > _MAX_PARSED:
            return ""
        try:
            messages = json.loads(messages)
        except (ValueError, RecursionError):
            return plain_text(text_of(attributes, "output"))
    for message in reversed(messages if isinstance(messages, list) else []):
        text = _text_of_message(message)
        if text:
            return plain_text(text)
    return ""


def arguments_text(attributes: Mapping[str, Any]) -> str:
    """The arguments of a call of a tool, as ``name: value``."""
    arguments = value_of(attributes, "tool_arguments")
    if isinstance(arguments, str) and len(arguments) <= _MAX_PARSED:
        try:
            arguments = json.loads(arguments)
        except (ValueError, RecursionError):
            return plain_text(arguments)
    if isinstance(arguments, dict):
        return plain_text(", ".join(f"{name}: {value}" for name, value in arguments.items()))
    return "" if arguments is None else plain_text(str(arguments))


def _text_of_message(message: Any) -> str:
    """The text of a message, which has ``content`` or ``parts``."""
    if not isinstance(message, dict):
        return ""
    content = message.get("content")
    if isinstance(content, str):
        return content
    parts = message.get("parts") or content
    texts = [
        part.get("content") or part.get("text")
        for part in (parts if isinstance(parts, list) else [])
        if isinstance(part, dict) and part.get("type", "text") == "text"
    ]
    return " ".join(text for text in texts if isinstance(text, str))

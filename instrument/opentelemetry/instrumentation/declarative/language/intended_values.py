"""The value that was probably intended by one of the wrong type: the same in the form that its key requires."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import Any

from opentelemetry.instrumentation.declarative.language.corrections import marks_within
from opentelemetry.instrumentation.declarative.language.decoder import Decoder
from opentelemetry.instrumentation.declarative.language.document import Document
from opentelemetry.instrumentation.declarative.language.document_node import DocumentNode
from opentelemetry.instrumentation.declarative.language.spellings import name_of
from opentelemetry.instrumentation.declarative.language.structure_problems import example_help, flow_style
from opentelemetry.instrumentation.declarative.language.value_types import About, ValueType

#: Keys that a plain value can stand for, the likeliest first.
_MAIN_KEYS = (
    *("call", "const", "value", "carrier", "ratio", "at", "distribution", "name", "event", "object", "base", "error"),
    *("sum", "include"),
)
#: Those whose value can be a number.
_KEYS_OF_NUMBERS = frozenset({"const", "ratio"})
#: Text that is not an expression.
_WORDS = re.compile(r"[\w-]+(\s+[\w-]+)*")
#: A key and its value that YAML reads as text.
_ENTRY = re.compile(r"(\w+)\s*[:=]\s*(\S.*)")
_SECONDS = {"s": 1, "m": 60, "min": 60, "h": 3600, "d": 86400}
_FLAGS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
#: Longer texts are not repeated in a suggestion.
_MOST_CHARACTERS = 100


def intended_value(value_type: ValueType, node: DocumentNode, about: About) -> tuple[str | None, Any]:
    """The help for a value of the wrong type, and the value that was probably intended; None if that is not known."""
    entries = _entries(node.value, _keys_of_entries(value_type))
    if entries is not None and value_type.accepts(entries):
        first = next(iter(entries))
        return f"write each entry under its name, as in {flow_style({first: entries[first]})}", entries
    is_template = "a template" in value_type.type_names(about)
    if node.path[-1:] == ("when",) and isinstance(node.value, dict):
        return f"write {_as_comparisons(node.value)}", None
    candidates = _candidates(node.value, value_type.mapping_keys, is_template=is_template)
    if node.path[-1:] == ("key",) and isinstance(node.value, list):  # a list cannot be a key
        candidates = iter([f"({', '.join(map(str, node.value))})"])
    for candidate in candidates:
        if _is_valid(candidate, value_type, node, about) and len(text := flow_style(candidate)) <= _MOST_CHARACTERS:
            return f"write {text}", candidate
    return example_help(None, _with_own_text(value_type, node, about)), None


def _as_comparisons(values: dict[str, Any]) -> str:
    """A condition that is written as a mapping of values."""
    return flow_style(" and ".join(f'{name} == "{value}"' for name, value in values.items()))


def _keys_of_entries(value_type: ValueType) -> Collection[str]:
    """The keys of the entries of a mapping."""
    return [key for each in value_type.inner_types() for key in each.mapping_keys]


def _entries(value: Any, known: Collection[str]) -> dict[str, Any] | None:
    """A list of mappings as a mapping with their names as keys; None if it is something else.

    ``known``: the keys of an entry. Other keys are names already.
    """
    if not isinstance(value, list) or not value or not all(isinstance(entry, dict) for entry in value):
        return None
    if all(len(entry) == 1 and entry.keys().isdisjoint(known) for entry in value):
        return {str(key): each for entry in value for key, each in entry.items()}
    entries = {str(entry.get("name") or name_of(next(iter(entry.values()), ""))): entry for entry in value}
    if len(entries) < len(value):
        return None
    return {name: {key: each for key, each in entry.items() if key != "name"} for name, entry in entries.items()}


def _with_own_text(value_type: ValueType, node: DocumentNode, about: About) -> Iterator[Any]:
    """The example of a mapping with a text in the place of its main value."""
    example = next(iter(about.examples), None)
    if isinstance(example, dict) and isinstance(node.value, str):
        main = next((key for key in _MAIN_KEYS if key in example), None)
        extended = example if main is None else {**example, main: node.value}
        if main is not None and _is_valid(extended, value_type, node, about):
            yield extended


def _is_valid(candidate: Any, value_type: ValueType, node: DocumentNode, about: About) -> bool:
    if not value_type.accepts(candidate):
        return False
    decoder = Decoder(complete=True, removes=False)
    value_type.decode(_in_place_of(node, candidate), decoder, about)
    return not decoder.problems


def _candidates(value: Any, keys: Collection[str], *, is_template: bool) -> Iterator[Any]:
    if isinstance(value, str):
        yield from _instead_of_text(value, keys)
    elif isinstance(value, list):
        yield from _instead_of_list(value)
    elif isinstance(value, dict):
        if len(value) == 1 and None in value.values():  # a name in braces without quotes
            name = next(iter(value))
            yield f"{{{name}}}" if is_template else name
        yield [value]
        if all(name == inner for name, inner in value.items()):
            yield [*value]
        if len(value) == 1 and (name := next(iter(value))) in _MAIN_KEYS:
            yield value[name]
    elif isinstance(value, float) and value.is_integer():
        yield int(value)
    for key in (key for key in _MAIN_KEYS if key in keys):
        if isinstance(value, str):
            yield {key: f'"{value}"' if key == "error" and _WORDS.fullmatch(value) else value}
        elif key in _KEYS_OF_NUMBERS:
            yield {key: value}
    if not isinstance(value, str):
        yield _as_text(value)
    if isinstance(value, list):
        yield ",".join(map(str, value))


def _instead_of_list(value: list[Any]) -> Iterator[Any]:
    if any(isinstance(item, str) and re.search(r"\w\.\w|\bfor\b", item) for item in value):
        yield flow_style(value)
    if len(value) == 1:
        yield value[0]
    if value and all(isinstance(item, str) and item.isidentifier() for item in value):
        yield {item: item for item in value}


def _instead_of_text(text: str, keys: Collection[str]) -> Iterator[Any]:
    if (found := _ENTRY.fullmatch(text)) and found[1] in keys:
        yield {found[1]: found[2]}
    if text.lower() in _FLAGS:
        yield _FLAGS[text.lower()]
    if re.fullmatch(r"0o[0-7]+|0x[\da-fA-F]+", text):
        yield int(text, 0)
    if re.fullmatch(r"-?\d+(_\d+)*", text):
        yield int(text)
    if re.fullmatch(r"-?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d+)?", text):
        yield float(text)
    if duration := re.fullmatch(r"(\d+)\s*(s|m|min|h|d)\w*", text):
        yield int(duration[1]) * _SECONDS[duration[2]]
    if re.fullmatch(r"\d+(\.\d+)?\s*%", text):
        yield float(text.rstrip("% ")) / 100
    if text in keys:
        yield from ({text: True}, {text: "True"})
    if found := re.fullmatch(r"([A-Za-z_]\w*)\s+in\s+(\S.*)", text):
        yield {found[1]: found[2]}
    yield [part.strip() for part in text.split(",")]


def _as_text(value: Any) -> str:
    return str(value) if isinstance(value, bool) else flow_style(value)


def _in_place_of(node: DocumentNode, value: Any) -> DocumentNode:
    """A value at the place of another one in its document."""
    marks, _ = marks_within(node.path, value, node.mark)
    return DocumentNode(Document(node.document.file, node.document.data, marks, {}), node.path, value)

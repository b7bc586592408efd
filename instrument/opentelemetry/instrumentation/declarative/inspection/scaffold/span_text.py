"""The attributes of a span in a first spec, from the parameters of its callable and what it returns."""

from __future__ import annotations

import inspect
import re
from dataclasses import dataclass, field
from typing import Any

from opentelemetry.instrumentation.declarative.inspection.readable import UNKNOWN, Type, callable_types, of_class
from opentelemetry.instrumentation.declarative.inspection.readable.members import members
from opentelemetry.instrumentation.declarative.inspection.readable.types import NONE
from opentelemetry.instrumentation.declarative.inspection.scaffold.identifiers import (
    grants_secret,
    is_content,
    is_count,
    is_object,
    is_secret,
    is_url,
    returns_content,
    snake_case,
)
from opentelemetry.instrumentation.declarative.inspection.scaffold.selection import SelectedCallable
from opentelemetry.instrumentation.declarative.inspection.scaffold.value_kinds import (
    NO_DEFAULT,
    identifying_fields,
    is_number,
    value_kind,
)

_LONGEST_TYPE = 40
#: How many names a comment lists that can be read from an object.
_MOST_LISTED = 5
_BINARY = (bytes, bytearray, memoryview)
_STARS = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


@dataclass(slots=True)
class SpanText:
    """The text about one span: its attributes, which of them are content, and what was left out."""

    method: str
    attributes: dict[str, str] = field(default_factory=dict)
    content: set[str] = field(default_factory=set)
    secrets: list[str] = field(default_factory=list)
    #: Whether a parameter has the name by which expressions read the return value.
    is_result_hidden: bool = False
    more: list[str] = field(default_factory=list)

    def add(self, key: str, expression: str, content: bool = False) -> None:
        if key in self.attributes:  # a field of the object and a parameter of the same name
            before, _, last = key.rpartition(".")
            key = f"{before}.{self.method}.{last}"
        self.attributes[key] = expression
        if content:
            self.content.add(key)

    def add_value(self, key: str, name: str, type_: Type, default: Any, content: bool, annotation: Any) -> None:
        """Add what a value has to record: itself, its text, its length or its fields."""
        kind = value_kind(type_, default)
        if kind == "unknown" and (name == "result" or is_object(name)):
            kind = "opaque"  # it may be anything, and of any size
        if kind in ("scalar", "unknown"):
            is_plain = is_number(type_) or isinstance(default, (int, float))
            value = f"url_without_credentials({name})" if is_url(name) and not is_plain else name
            self.add(key, value, content and not is_plain)
        elif kind == "text":
            self.add(key, f"str({name})")
        elif kind == "sized":
            self.add(key, f"len({name})")
        elif kind == "fields":
            self.add_fields(key, name, type_)
        if kind in ("fields", "opaque"):
            self.add_more(name, type_, _annotation_text(annotation))

    def add_more(self, name: str, type_: Type, annotation: str) -> None:
        """Mention an object with names that are not recorded."""
        recorded = [inner for inner, _ in identifying_fields(type_)]
        names = [inner for inner in _readable_names(type_) if inner not in recorded]
        if recorded and not names:
            return
        listed = ", ".join([*names[:_MOST_LISTED], *(["…"] if len(names) > _MOST_LISTED else [])])
        about = ": ".join(filter(None, (annotation if len(annotation) <= _LONGEST_TYPE else "", listed)))
        self.more.append(f"{name} ({about})" if about else name)

    def add_fields(self, key: str, name: str, type_: Type) -> None:
        """Add the fields that identify an object."""
        for inner, kind in identifying_fields(type_):
            self.add(f"{key}.{inner}", f"{name}.{inner}" if kind == "scalar" else f"str({name}.{inner})")


def _prefix(selected: SelectedCallable) -> str:
    """Return the prefix of the attribute keys: the package and the class or, for a function, the module."""
    top, *_, last = (selected.module, selected.module) if "." not in selected.module else selected.module.split(".")
    own = selected.owner.__name__ if isinstance(selected.owner, type) else last
    steps = list(dict.fromkeys(filter(None, (snake_case(top), snake_case(own)))))
    return ".".join(steps) or "app"


def span_text(selected: SelectedCallable) -> SpanText:
    """Return the attributes of the span around a callable, from its parameters and what it returns."""
    span, prefix = SpanText(snake_case(selected.name)), _prefix(selected)
    types_ = callable_types(selected.function, selected.owner if selected.bound_to else None, selected.held)
    function = inspect.unwrap(selected.function)
    annotations = getattr(function, "__annotations__", {})
    parameters = _parameters(selected.function)
    for index, name in enumerate(selected.signature.parameters):
        type_ = types_.parameters.get(name, UNKNOWN)
        parameter = parameters.get(name)
        if index == 0 and selected.bound_to:
            if selected.bound_to == "object":
                span.add_fields(prefix, name, of_class(selected.owner))
        elif name.startswith("_"):
            continue  # internal to the callable
        elif parameter is not None and parameter.kind in _STARS:
            span.add(f"{prefix}.{name}", f"len({name})")
        elif _is_secret(name, type_, annotations.get(name), grants_secret(selected.name)):
            span.secrets.append(name)
        else:
            default = NO_DEFAULT if parameter is None else parameter.default
            content = is_content(name) or type_.has(*_BINARY)
            span.add_value(f"{prefix}.{name}", name, type_, default, content, annotations.get(name))
    if selected.signature.kind in ("generator", "asynchronous generator"):
        span.add(f"{prefix}.{span.method}.items", "item_count")
    # The annotation of a context manager, which is a generator below its decorator, is not about its result.
    gives_items = inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function)
    is_plain = selected.signature.kind in ("function", "coroutine") and not gives_items
    if is_plain and "return" in annotations and types_.result != NONE:
        is_granted = types_.result.has(str, bytes) and grants_secret(selected.name)
        if is_granted or is_secret(selected.name) or "Secret" in _annotation_text(annotations["return"]):
            span.secrets.append("result")
        elif "result" in selected.signature.parameters:
            span.is_result_hidden = True
        else:
            key = f"{prefix}.{span.method}.result"
            content = (
                returns_content(selected.name)
                or types_.result.has(*_BINARY)
                or any(map(is_content, selected.signature.parameters))
            )
            span.add_value(key, "result", types_.result, NO_DEFAULT, content, annotations["return"])
    return span


def _is_secret(name: str, type_: Type, annotation: Any, in_secret: bool) -> bool:
    """Whether a parameter may be a secret, by its name, its annotation, or ``in_secret``, the name of its function."""
    if "Secret" in _annotation_text(annotation):
        return True
    if type_.plain.text == "bool" or (is_number(type_) and is_count(name)):
        return False
    is_object_of_class = value_kind(type_) in ("fields", "opaque") and _readable_names(type_)
    if is_object_of_class or (not type_.text and is_object(name)):  # the object itself is not recorded
        return False
    return is_secret(name) or (in_secret and (not type_.text or name == "code") and not is_count(name))


def _parameters(function: Any) -> dict[str, inspect.Parameter]:
    try:
        return dict(inspect.signature(function).parameters)
    except (TypeError, ValueError):
        return {}


def _readable_names(type_: Type) -> list[str]:
    """The public names that can be read from an object, if it is of one type."""
    return [name for name in members(type_) if not name.startswith("_")]


def _annotation_text(annotation: Any) -> str:
    """Return an annotation without the names of modules; empty if there is none."""
    if annotation is None:
        return ""
    is_plain_class = isinstance(annotation, type) and not getattr(annotation, "__args__", ())
    text = annotation.__qualname__ if is_plain_class else str(annotation)
    text = text[1:-1] if text[:1] in ("'", '"') and text[-1:] == text[:1] else text
    return re.sub(r"\b(?:\w+\.)+(?=\w)", "", text)

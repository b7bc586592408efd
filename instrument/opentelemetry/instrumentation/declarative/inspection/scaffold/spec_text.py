"""The text of a first spec: a header that says how to use it, the spans, and what was left out."""

from __future__ import annotations

import inspect
import json
import os
import re
import textwrap
import types
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from opentelemetry.instrumentation.declarative.inspection.readable import UNKNOWN, Type, callable_types, of_class
from opentelemetry.instrumentation.declarative.inspection.readable.types import NONE
from opentelemetry.instrumentation.declarative.inspection.scaffold.identifiers import (
    grants_secret,
    is_content,
    is_count,
    is_secret,
    is_url,
    returns_content,
    snake_case,
)
from opentelemetry.instrumentation.declarative.inspection.scaffold.lookup import ScaffoldTarget
from opentelemetry.instrumentation.declarative.inspection.scaffold.run_arguments import run_arguments
from opentelemetry.instrumentation.declarative.inspection.scaffold.selection import SelectedCallable, Selection
from opentelemetry.instrumentation.declarative.inspection.scaffold.value_kinds import (
    NO_DEFAULT,
    identifying_fields,
    value_kind,
)
from opentelemetry.instrumentation.declarative.language.json_schema import schema_path
from opentelemetry.instrumentation.declarative.language.shipped import SHIPPED_SPECS

_WIDTH = 110
_LONGEST_TYPE = 40
_PLAIN = re.compile(r"[A-Za-z_][\w.]*(:[A-Za-z_][\w.<>]*)?|\w+\([\w.]+\)")
_BINARY = (bytes, bytearray, memoryview)
_YAML_WORDS = frozenset(["null", "true", "false"])
#: Types whose values are neither secrets nor content.
_SIMPLE = frozenset(["int", "float", "bool"])
_STARS = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


@dataclass(slots=True)
class _SpanText:
    """What is written about one span: its attributes, which of them are content, and what was left out."""

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
        if kind == "unknown" and name == "result":
            kind = "opaque"  # it may be anything, and of any size
        if kind in ("scalar", "unknown"):
            is_simple = _is_simple(type_) or type(default).__name__ in _SIMPLE
            value = f"url_without_credentials({name})" if is_url(name) and not is_simple else name
            self.add(key, value, content and not is_simple)
        elif kind == "text":
            self.add(key, f"str({name})")
        elif kind == "sized":
            self.add(key, f"len({name})")
        elif kind == "fields":
            self.add_fields(key, name, type_)
        if kind in ("fields", "opaque"):
            text = _annotation_text(annotation)
            self.more.append(f"{name} ({text})" if 0 < len(text) <= _LONGEST_TYPE else name)

    def add_fields(self, key: str, name: str, type_: Type) -> None:
        """Add the fields that identify an object."""
        for inner, kind in identifying_fields(type_):
            self.add(f"{key}.{inner}", f"{name}.{inner}" if kind == "scalar" else f"str({name}.{inner})")


def render_spec(target: ScaffoldTarget, selection: Selection, file: str | None, imports: Sequence[str]) -> str:
    """Return the text of the spec.

    Args:
        file: where it will be saved.
        imports: the modules that its commands import first.
    """
    spec = spec_name(target)
    spans = {name: _span_text(each) for name, each in _by_span_name(target, selection.callables).items()}
    has_content = any(span.content for span, _ in spans.values())
    flags = "".join(f"--import {module} " for module in imports)
    lines = [*_header(target, selection.callables[0].target, file or f"{spec}.yaml", file, has_content, flags)]
    lines += ["instrument: 2", f"name: {_scalar(spec)}", "spans:"]
    for name, (span, selected) in spans.items():
        lines += [f"  {_scalar(name)}:", f"    around: {_scalar(selected.target)}", f"    name: {_title(selected)}"]
        lines += _attributes(span, selected)
    lines += _left_out(selection)
    return "\n".join(lines) + "\n"


def spec_name(target: ScaffoldTarget) -> str:
    """Return the name of the spec: that of the package, extended if a shipped spec has the name."""
    top = snake_case(target.module.__name__.partition(".")[0]) or "mine"
    name = top if top[0].isalpha() else f"my_{top}"
    last = (target.path or target.module.__name__).rpartition(".")[2]
    return f"{name}_{snake_case(last)}" if name in {spec.name for spec in SHIPPED_SPECS} else name


# ── The header ──


def _header(
    target: ScaffoldTarget, example: str, shown: str, file: str | None, has_content: bool, flags: str
) -> Iterator[str]:
    yield f"# yaml-language-server: $schema={_schema(file)}"
    yield "#"
    yield from _comment(f"Spans of {target.target}, a first draft: keep what is useful and remove the rest.", "# ")
    yield "#"
    yield "#   check it:             " + f"instrument check {flags}{shown}"
    yield f"#   run with it:          instrument run --tree --specs {shown} {run_arguments(target.module)}"
    yield f"#   see what can be read: instrument explain {flags}--specs {shown} {example}"
    yield "#"
    text = (
        "An attribute is read as soon as the names in it exist: parameters when the call starts, `result` when it "
        "returns. Attributes without a value are not recorded. "
    )
    if has_content:
        text += (
            "Attributes marked `content: true` probably hold what people write or models answer: they are recorded "
            "only if OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT=SPAN_ONLY is set. "
        )
    yield from _comment(text, "# ")


def _schema(file: str | None) -> str:
    """Return where an editor finds the schema: relative to the file if it is below its directory."""
    path, directory = schema_path(), Path(file or "spec.yaml").absolute().parent
    return Path(os.path.relpath(path, directory)).as_posix() if path.is_relative_to(directory) else path.as_posix()


# ── The spans ──


def _by_span_name(target: ScaffoldTarget, callables: list[SelectedCallable]) -> dict[str, SelectedCallable]:
    """Return the callables by the names of their spans."""
    named: dict[str, SelectedCallable] = {}
    several = isinstance(target.value, types.ModuleType)
    for each in callables:
        steps = each.path.split(".")
        base = "_".join(filter(None, map(snake_case, steps if several else steps[-1:]))) or "span"
        base = base if base[0].isalpha() else f"span_{base}"
        name, number = base, 2
        while name in named:
            name, number = f"{base}_{number}", number + 1
        named[name] = each
    return named


def _title(selected: SelectedCallable) -> str:
    """Return the span's name: `Cart.checkout`, or `cart.total` for a function of the module `shop.cart`."""
    path = selected.path if "." in selected.path else f"{selected.module.rpartition('.')[2]}.{selected.path}"
    return _scalar(path)


def _prefix(selected: SelectedCallable) -> str:
    """Return the prefix of the attribute keys: the package and the class or, for a function, the module."""
    top, *_, last = (selected.module, selected.module) if "." not in selected.module else selected.module.split(".")
    own = selected.owner.__name__ if isinstance(selected.owner, type) else last
    steps = list(dict.fromkeys(filter(None, (snake_case(top), snake_case(own)))))
    return ".".join(steps) or "app"


def _span_text(selected: SelectedCallable) -> tuple[_SpanText, SelectedCallable]:
    span, prefix = _SpanText(snake_case(selected.name)), _prefix(selected)
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
    return span, selected


def _is_secret(name: str, type_: Type, annotation: Any, in_secret: bool) -> bool:
    """Whether a parameter may be a secret, by its name, its annotation, or ``in_secret``, the name of its function."""
    if "Secret" in _annotation_text(annotation):
        return True
    if type_.plain.text == "bool" or (_is_simple(type_) and is_count(name)):
        return False
    return is_secret(name) or (in_secret and (not type_.text or name == "code") and not is_count(name))


def _parameters(function: Any) -> dict[str, inspect.Parameter]:
    try:
        return dict(inspect.signature(function).parameters)
    except (TypeError, ValueError):
        return {}


def _is_simple(type_: Type) -> bool:
    return type_.plain.text in _SIMPLE


def _annotation_text(annotation: Any) -> str:
    """Return an annotation without the names of modules; empty if there is none."""
    if annotation is None:
        return ""
    is_plain_class = isinstance(annotation, type) and not getattr(annotation, "__args__", ())
    text = annotation.__qualname__ if is_plain_class else str(annotation)
    text = text[1:-1] if text[:1] in ("'", '"') and text[-1:] == text[:1] else text
    return re.sub(r"\b(?:\w+\.)+(?=\w)", "", text)


# ── Text ──


def _attributes(span: _SpanText, selected: SelectedCallable) -> Iterator[str]:
    if span.attributes:
        yield "    attributes:"
    for key, expression in span.attributes.items():
        value = _scalar(expression)
        yield f"      {_scalar(key)}: " + (f"{{value: {value}, content: true}}" if key in span.content else value)
    if selected.signature.named is None:
        yield "    # Written in C, without a signature: its parameters are not known."
    if span.secrets:
        yield from _comment(f"Left out, because the name suggests a secret: {', '.join(span.secrets)}.", "    # ")
    if span.is_result_hidden:
        text = "The return value is left out, because a parameter is named result. An attribute with `at` can read it."
        yield from _comment(text, "    # ")
    if span.more:
        yield from _comment(f"More can be read from: {', '.join(span.more)}.", "    # ")


def _left_out(selection: Selection) -> Iterator[str]:
    if selection.left_out:
        yield "# Without a span:"
    for reason, names in selection.left_out.items():
        yield from _comment(f"- {reason}: {', '.join(names)}", "# ", "#   ")


def _comment(text: str, first: str, rest: str | None = None) -> list[str]:
    return textwrap.wrap(
        text,
        _WIDTH,
        initial_indent=first,
        subsequent_indent=rest or first,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _scalar(text: str) -> str:
    """Return text as a YAML scalar, in quotes if YAML would read it as something else without."""
    return text if _PLAIN.fullmatch(text) and text not in _YAML_WORDS else json.dumps(text, ensure_ascii=False)

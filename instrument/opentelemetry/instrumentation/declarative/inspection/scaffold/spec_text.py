"""The text of a first spec: a head that says how to run it, the spans, and what was left out."""

from __future__ import annotations

import inspect
import json
import os
import re
import textwrap
import types
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from opentelemetry.instrumentation.declarative.inspection.scaffold.identifiers import (
    is_content,
    is_secret,
    snake,
    writes,
)
from opentelemetry.instrumentation.declarative.inspection.scaffold.lookup import Found
from opentelemetry.instrumentation.declarative.inspection.scaffold.selection import Callable, Selection
from opentelemetry.instrumentation.declarative.inspection.scaffold.value_kinds import (
    UNKNOWN,
    annotations_of,
    fields_of,
    kind_of,
    shown_type,
)
from opentelemetry.instrumentation.declarative.language.schema import schema_path
from opentelemetry.instrumentation.declarative.language.shipped import PACKAGED

_WIDTH = 110
_LONGEST_TYPE = 40
_PLAIN = re.compile(r"[A-Za-z_][\w.]*(:[A-Za-z_][\w.]*)?|\w+\([\w.]+\)")
_WORDS = frozenset(["null", "true", "false"])
#: Names that mean something else in an expression.
_TAKEN = frozenset(["result", "error"])
_SIMPLE = frozenset([int, float, bool])


@dataclass(slots=True)
class _Span:
    """What is written of one span: the values of its attributes, which of them are content, and what was left out."""

    method: str
    attributes: dict[str, str] = field(default_factory=dict)
    content: set[str] = field(default_factory=set)
    secrets: list[str] = field(default_factory=list)
    taken: list[str] = field(default_factory=list)
    more: list[str] = field(default_factory=list)

    def add(self, key: str, expression: str, content: bool = False) -> None:
        if key in self.attributes:  # what the object is called by, and a parameter of the same name
            before, _, last = key.rpartition(".")
            key = f"{before}.{self.method}.{last}"
        self.attributes[key] = expression
        if content:
            self.content.add(key)


def written(found: Found, selection: Selection, file: str | None) -> str:
    """The text of the spec. ``file`` is where it will lie."""
    spec = spec_name(found)
    spans = {name: _span(each) for name, each in _named(found, selection.callables).items()}
    with_content = any(span.content for span, _ in spans.values())
    lines = [*_head(found, selection.callables[0].target, file or f"{spec}.yaml", file, with_content)]
    lines += ["instrument: 1", f"name: {_plain(spec)}", "spans:"]
    for name, (span, callable_) in spans.items():
        lines += [f"  {_plain(name)}:", f"    around: {_plain(callable_.target)}", f"    name: {_title(callable_)}"]
        lines += _attributes(span, callable_)
    lines += _left_out(selection)
    return "\n".join(lines) + "\n"


def spec_name(found: Found) -> str:
    """The name of the spec: that of the package; what is shipped for it has that name already."""
    top = snake(found.module.__name__.partition(".")[0]) or "mine"
    name = top if top[0].isalpha() else f"my_{top}"
    return f"{name}_{snake(_last(found))}" if name in {spec.name for spec in PACKAGED} else name


def _last(found: Found) -> str:
    return (found.path or found.module.__name__).rpartition(".")[2]


# ── The head ──


def _head(found: Found, first: str, shown: str, file: str | None, with_content: bool) -> Iterator[str]:
    yield f"# yaml-language-server: $schema={_schema(file)}"
    yield "#"
    yield from _comment(f"Spans of {found.target}, a first sketch: keep what helps and take out the rest.", "# ")
    yield "#"
    yield "#   check it:          " + f"instrument check {shown}"
    yield f"#   run with it:       OTEL_PYTHON_DECLARATIVE_SPECS={shown} OTEL_TRACES_EXPORTER=tree \\"
    yield "#                        OTEL_METRICS_EXPORTER=none OTEL_LOGS_EXPORTER=none \\"
    yield "#                        opentelemetry-instrument python app.py"
    yield f"#   see what is there: instrument explain --specs {shown} {first}"
    yield "#"
    text = (
        "An attribute is read as soon as the names in it exist: the parameters at the beginning, `result` at the end. "
    )
    text += "What is missing is not recorded. "
    if with_content:
        text += (
            "What is marked `content: true` is probably what people write or models say: it is left out unless "
            "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT=SPAN_ONLY allows it. "
        )
    yield from _comment(text, "# ")


def _schema(file: str | None) -> str:
    """Where an editor finds the schema: as the file names it if it lies below the file's folder, else wholly."""
    path, folder = schema_path(), Path(file or "spec.yaml").absolute().parent
    return Path(os.path.relpath(path, folder)).as_posix() if path.is_relative_to(folder) else path.as_posix()


# ── The spans ──


def _named(found: Found, callables: list[Callable]) -> dict[str, Callable]:
    """The callables by the names of their spans."""
    named: dict[str, Callable] = {}
    several = isinstance(found.value, types.ModuleType)
    for each in callables:
        steps = each.path.split(".")
        base = "_".join(filter(None, map(snake, steps if several else steps[-1:]))) or "span"
        base = base if base[0].isalpha() else f"span_{base}"
        name, number = base, 2
        while name in named:
            name, number = f"{base}_{number}", number + 1
        named[name] = each
    return named


def _title(callable_: Callable) -> str:
    """The span's name: `Cart.checkout`; of a function, with its module's name before it."""
    path = callable_.path if "." in callable_.path else f"{callable_.module.rpartition('.')[2]}.{callable_.path}"
    return _plain(path)


def _prefix(callable_: Callable) -> str:
    """What the keys of its attributes begin with: the package and the class or, of a function, the module."""
    top, *_, last = (callable_.module, callable_.module) if "." not in callable_.module else callable_.module.split(".")
    own = callable_.owner.__name__ if isinstance(callable_.owner, type) else last
    steps = list(dict.fromkeys(filter(None, (snake(top), snake(own)))))
    return ".".join(steps) or "app"


def _span(callable_: Callable) -> tuple[_Span, Callable]:
    span, prefix = _Span(snake(callable_.name)), _prefix(callable_)
    annotations = annotations_of(callable_.raw)
    defaults = _defaults(callable_.raw)
    for index, name in enumerate(callable_.signature.parameters):
        annotation = annotations.get(name, UNKNOWN)
        if index == 0 and callable_.on:
            if callable_.on == "object":
                _read_fields(span, prefix, name, callable_.owner)
        elif name.startswith("_"):
            continue  # its own business
        elif name in _TAKEN:
            span.taken.append(name)
        elif name in defaults.stars:
            span.add(f"{prefix}.{name}", f"len({name})")
        elif is_secret(name) and annotation not in _SIMPLE:
            span.secrets.append(name)
        else:
            _read(span, f"{prefix}.{name}", name, annotation, defaults.values.get(name, UNKNOWN), is_content(name))
    if callable_.signature.shape in ("function", "coroutine") and "return" in annotations:
        key = f"{prefix}.{span.method}.result"
        if is_secret(callable_.name):
            span.secrets.append("result")
        elif annotations["return"] not in (None, type(None)):
            content = writes(callable_.name) or any(is_content(name) for name in callable_.signature.parameters)
            _read(span, key, "result", annotations["return"], UNKNOWN, content)
    return span, callable_


def _read(span: _Span, key: str, name: str, annotation: Any, default: Any, content: bool) -> None:
    """Enter what a value shows: itself, its text, its length or its fields."""
    kind = kind_of(annotation, default)
    if kind == "unknown" and name == "result":
        kind = "opaque"  # it may be anything, and as large as it likes
    if kind in ("scalar", "unknown"):
        span.add(key, name, content and annotation not in _SIMPLE and type(default) not in _SIMPLE)
    elif kind == "text":
        span.add(key, f"str({name})")
    elif kind == "sized":
        span.add(key, f"len({name})")
    elif kind == "fields":
        _read_fields(span, key, name, annotation)
    if kind in ("fields", "opaque"):
        text = shown_type(annotation)
        span.more.append(f"{name} ({text})" if 0 < len(text) <= _LONGEST_TYPE else name)


def _read_fields(span: _Span, key: str, name: str, annotation: Any) -> None:
    for inner, read in fields_of(annotation):
        span.add(f"{key}.{inner}", f"{name}.{inner}" if read == "scalar" else f"str({name}.{inner})")


@dataclass(frozen=True, slots=True)
class _Defaults:
    values: dict[str, Any]
    stars: frozenset[str]


def _defaults(function: Any) -> _Defaults:
    """The defaults of a callable's parameters, and which of these take all the rest."""
    try:
        parameters = inspect.signature(getattr(function, "func", function)).parameters.values()
    except (TypeError, ValueError):
        return _Defaults({}, frozenset())
    stars = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    values = {each.name: each.default for each in parameters}
    return _Defaults(values, frozenset(each.name for each in parameters if each.kind in stars))


# ── Text ──


def _attributes(span: _Span, callable_: Callable) -> Iterator[str]:
    if span.attributes:
        yield "    attributes:"
    for key, expression in span.attributes.items():
        value = _plain(expression)
        yield f"      {_plain(key)}: " + (f"{{value: {value}, content: true}}" if key in span.content else value)
    if callable_.signature.named is None:
        yield "    # It is written in C and does not tell its parameters."
    if span.secrets:
        yield from _comment(f"Left out, by its name a secret: {', '.join(span.secrets)}.", "    # ")
    if span.taken:
        text = f"Left out, as the name means what the call gives or raises: {', '.join(span.taken)}."
        yield from _comment(text, "    # ")
    if span.more:
        yield from _comment(f"More can be read from: {', '.join(span.more)}.", "    # ")


def _left_out(selection: Selection) -> Iterator[str]:
    if selection.left_out:
        yield "# Without a span:"
    for why, names in selection.left_out.items():
        yield from _comment(f"- {why}: {', '.join(names)}", "# ", "#   ")


def _comment(text: str, first: str, rest: str | None = None) -> list[str]:
    return textwrap.wrap(
        text,
        _WIDTH,
        initial_indent=first,
        subsequent_indent=rest or first,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _plain(text: str) -> str:
    """Text as YAML reads it as text: in quotes where it would be something else without."""
    return text if _PLAIN.fullmatch(text) and text not in _WORDS else json.dumps(text, ensure_ascii=False)

"""The text of a first spec: a header that says how to use it, the spans, and what was left out."""

from __future__ import annotations

import json
import os
import re
import textwrap
import types
from collections.abc import Iterator, Sequence
from pathlib import Path

from opentelemetry.instrumentation.declarative.inspection.scaffold.identifiers import snake_case
from opentelemetry.instrumentation.declarative.inspection.scaffold.lookup import ScaffoldTarget
from opentelemetry.instrumentation.declarative.inspection.scaffold.run_arguments import PROGRAM, run_arguments
from opentelemetry.instrumentation.declarative.inspection.scaffold.selection import SelectedCallable, Selection
from opentelemetry.instrumentation.declarative.inspection.scaffold.span_text import SpanText, span_text
from opentelemetry.instrumentation.declarative.language.json_schema import schema_path
from opentelemetry.instrumentation.declarative.language.shipped import SHIPPED_SPECS
from opentelemetry.instrumentation.declarative.patching.lookup.nested_functions import LOCALS

_WIDTH = 110
_PLAIN = re.compile(r"[A-Za-z_][\w.]*(:[A-Za-z_][\w.<>]*)?|\w+\([\w.]+\)")
_YAML_WORDS = frozenset(["null", "true", "false"])


def render_spec(
    targets: Sequence[ScaffoldTarget], selection: Selection, file: str | None, imports: Sequence[str]
) -> str:
    """Return the text of the spec.

    Args:
        file: where it will be saved.
        imports: the modules that its commands import first.
    """
    spec = spec_name(targets[0])
    named = _by_span_name(targets, selection.callables)
    spans = {name: span_text(each) for name, each in named.items()}
    has_content = any(span.content for span in spans.values())
    flags = "".join(f"--import {module} " for module in imports)
    lines = [*_header(targets, selection.callables[0].target, file or f"{spec}.yaml", file, has_content, flags)]
    lines += ["instrument: 2", f"name: {_scalar(spec)}", "spans:"]
    for name, span in spans.items():
        selected = named[name]
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
    targets: Sequence[ScaffoldTarget], example: str, shown: str, file: str | None, has_content: bool, flags: str
) -> Iterator[str]:
    yield f"# yaml-language-server: $schema={_schema(file)}"
    yield "#"
    names = ", ".join(each.target for each in targets)
    yield from _comment(f"Spans of {names}, a first draft: keep what is useful and remove the rest.", "# ")
    yield "#"
    yield "#   check it:             " + f"instrument check {flags}{shown}"
    yield f"#   run with it:          instrument run --tree --specs {shown} {_program(targets)}"
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


def _program(targets: Sequence[ScaffoldTarget]) -> str:
    """The arguments that run the first module that is a program."""
    arguments = [run_arguments(each.module) for each in targets]
    return next((each for each in arguments if each != PROGRAM), PROGRAM)


def _schema(file: str | None) -> str:
    """Return where an editor finds the schema: relative to the file if it is below its directory."""
    path, directory = schema_path(), Path(file or "spec.yaml").absolute().parent
    return Path(os.path.relpath(path, directory)).as_posix() if path.is_relative_to(directory) else path.as_posix()


# ── The spans ──


def _by_span_name(targets: Sequence[ScaffoldTarget], callables: list[SelectedCallable]) -> dict[str, SelectedCallable]:
    """Return the callables by the names of their spans."""
    named: dict[str, SelectedCallable] = {}
    several = len(targets) > 1 or isinstance(targets[0].value, types.ModuleType)
    for each in callables:
        steps = each.path.replace(f"{LOCALS}.", "").split(".")
        base = "_".join(filter(None, map(snake_case, steps if several else steps[-1:]))) or "span"
        base = base if base[0].isalpha() else f"span_{base}"
        name, number = base, 2
        while name in named:
            name, number = f"{base}_{number}", number + 1
        named[name] = each
    return named


def _title(selected: SelectedCallable) -> str:
    """Return the span's name: `Cart.checkout`, or `cart.total` for a function of the module `shop.cart`."""
    path = selected.path.rpartition(f"{LOCALS}.")[2]
    return _scalar(path if "." in path else f"{selected.module.rpartition('.')[2]}.{path}")


# ── Text ──


def _attributes(span: SpanText, selected: SelectedCallable) -> Iterator[str]:
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

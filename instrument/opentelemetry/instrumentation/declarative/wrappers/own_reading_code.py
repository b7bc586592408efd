"""Generates the code by which wrappers pass on the calls that our own reading causes, without applying a rule."""

from __future__ import annotations

from opentelemetry.instrumentation.declarative.runtime.context.own_reading import (
    READING,
    WRITING,
    is_own_reading,
    readings,
)
from opentelemetry.instrumentation.declarative.wrappers.call_kinds import original_call, return_lines
from opentelemetry.instrumentation.declarative.wrappers.code_lines import Lines, indented
from opentelemetry.instrumentation.declarative.wrappers.names import NameAllocator
from opentelemetry.instrumentation.declarative.wrappers.signatures import Signature


def own_reading_lines(signature: Signature, names: NameAllocator, original: str) -> Lines:
    """The first lines of a wrapper: only call the original if the lines of a rule cause the call."""
    condition = f"{names.constant('readings', readings)} and {names.constant('is_own_reading', is_own_reading)}()"
    return [f"if {condition}:", *passing_lines(signature, names, original)]


def passing_lines(signature: Signature, names: NameAllocator, original: str) -> Lines:
    """The indented lines that only call the original."""
    lines = return_lines(signature.kind, names, original_call(signature, original))
    return indented([*lines, "return"] if signature.kind == "asynchronous generator" else lines)


def as_own_reading(names: NameAllocator, guarded: Lines) -> Lines:
    """The guarded lines of a rule, a ``try`` statement. The calls that they cause are our own reading."""
    running, local = names.constant("readings", readings), names.shared_local(READING)
    return [
        f"{running}.append(None)",
        f"{local} = True",
        *guarded,
        "finally:",
        f"    {running}.pop()",
        f"    {local} = False",
    ]


def as_own_writing(names: NameAllocator) -> Lines:
    """The line after which the last lines of a rule set a field."""
    return [f"{names.shared_local(READING)} = {WRITING!r}"]

"""Generates the code by which wrappers pass on the calls that our own reading causes, without applying a rule."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby

from opentelemetry.instrumentation.declarative.runtime.context.own_reading import (
    READING,
    WRITING,
    begin_reading,
    end_reading,
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
    first, last = _around(names)
    return [*first, *guarded, *last]


def in_turn(names: NameAllocator, rules: Iterable[Lines]) -> Lines:
    """The lines of rules that run one after the other. All of them together are our own reading once."""
    lines: Lines = []
    alone = [(rule, _without_reading(names, rule)) for rule in rules if rule]
    for is_reading, group in groupby(alone, lambda rule: rule[1] is not None):
        found = [*group]
        if is_reading and len(found) > 1:
            inner = [line for _, rule in found for line in rule or ()]
            lines += as_own_reading(names, ["try:", *indented(inner)])
        else:
            lines += [line for rule, _ in found for line in rule]
    return lines


def _without_reading(names: NameAllocator, rule: Lines) -> Lines | None:
    """The lines of a rule without those of ``as_own_reading``; None if it does not have these, or sets a field."""
    first, last = _around(names)
    has_condition = rule[0].startswith("if ") and all(line.startswith("    ") for line in rule[1:])
    head, guarded = (rule[:1], [line[4:] for line in rule[1:]]) if has_condition else ([], rule)
    if guarded[: len(first)] != first or guarded[-len(last) :] != last:
        return None
    inner = guarded[len(first) : -len(last)]
    if any(line.endswith(as_own_writing(names)[0]) for line in inner):  # the next rule would seem to set a field, too
        return None
    return [*head, *indented(inner)] if has_condition else inner


def _around(names: NameAllocator) -> tuple[Lines, Lines]:
    local = names.shared_local(READING)
    begin, end = names.constant("begin_reading", begin_reading), names.constant("end_reading", end_reading)
    return [f"{begin}(None)", f"{local} = True"], ["finally:", f"    {end}()", f"    {local} = False"]


def as_own_writing(names: NameAllocator) -> Lines:
    """The line after which the last lines of a rule set a field."""
    return [f"{names.shared_local(READING)} = {WRITING!r}"]

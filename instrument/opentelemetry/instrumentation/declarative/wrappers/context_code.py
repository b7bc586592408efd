"""Generates the source for the parents and links of spans, from wherever their trace context comes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from itertools import takewhile
from typing import Any, NamedTuple

from opentelemetry.instrumentation.declarative.expressions import Expression
from opentelemetry.instrumentation.declarative.plan.span_plan import ContextSourcePlan, LinkPlan
from opentelemetry.instrumentation.declarative.runtime.context import current, propagation, trace_context
from opentelemetry.instrumentation.declarative.runtime.guard import Rule
from opentelemetry.instrumentation.declarative.wrappers.code_lines import Lines, indented
from opentelemetry.instrumentation.declarative.wrappers.emitter import Emitter
from opentelemetry.instrumentation.declarative.wrappers.expression_group import ExpressionGroup
from opentelemetry.instrumentation.declarative.wrappers.expression_scope import ExpressionScope


def source_expressions(sources: Iterable[ContextSourcePlan]) -> list[Expression | None]:
    """All expressions of context sources."""
    return [part for source in sources for part in (source.key, source.traceparent, source.tracestate, source.carrier)]


class _Readers(NamedTuple):
    """What generated code reads a source with."""

    current: Callable[..., Any]
    current_or_ended: Callable[..., Any]
    carrier: Callable[..., Any]
    remote: Callable[..., Any]
    #: The method of a span type that finds an open one by its key, and what the key is called.
    of_span: str
    key: str


_PARENT = _Readers(
    trace_context.current,
    trace_context.current_or_ended,
    propagation.context_of_carrier,
    trace_context.remote,
    "context",
    "parent_key",
)
_LINK = _Readers(
    trace_context.current_link,
    trace_context.current_or_ended_link,
    propagation.link_of_carrier,
    trace_context.remote_link,
    "link",
    "link_key",
)


def context_source(source: ContextSourcePlan, emitter: Emitter, group: ExpressionGroup) -> str:
    """The source for the context of a parent; its value is None if that does not exist."""
    if source.where == "none":
        return emitter.names.constant("root", current.ROOT)
    return _read(source, _PARENT, emitter, group)


def _read(source: ContextSourcePlan, readers: _Readers, emitter: Emitter, group: ExpressionGroup, *more: str) -> str:
    """The source code that reads a context source. ``more`` are further arguments."""
    if source.where == "span":
        assert source.span is not None and source.key is not None
        key = group.value(readers.key, source.key)
        read = f"{emitter.spans(source.span)}.{readers.of_span}({', '.join((key, *more))})"
        return f"(None if {key} is None else {read})"
    given: tuple[str, ...] = ()
    if source.where == "current":
        reader = readers.current
    elif source.where == "current_or_ended":
        reader = readers.current_or_ended
    elif source.carrier is not None:
        reader, given = readers.carrier, (group.value("carrier", source.carrier),)
    else:
        reader, given = readers.remote, _remote_arguments(source, group)
    read = f"{emitter.names.constant(reader.__name__, reader)}({', '.join((*given, *more))})"
    if reader is readers.remote:  # most calls have no remote parent
        return f"(None if {given[0]} is None else {read})"
    if reader is trace_context.current_link:  # many programs have no current span
        return f"({read} if {emitter.names.constant('current_context', current.current_context)}() else None)"
    return read


def _read_each(source: ContextSourcePlan, emitter: Emitter, rule: Rule, group: ExpressionGroup, attributes: str) -> str:
    """The source code that reads the links to each of a list."""
    listed = source.key or source.carrier or source.traceparent
    assert listed is not None
    if source.span is not None:
        read = f"{emitter.spans(source.span)}.{_LINK.of_span}"
    elif source.carrier is not None:
        read = emitter.names.constant("link_of_carrier", propagation.link_of_carrier)
    else:
        read = emitter.names.constant("traceparent_link", trace_context.traceparent_link)
    links = emitter.names.constant("links_to_each", partial(trace_context.links_to_each, rule.failed))
    return f"{links}({read}, {group.value('listed', listed)}, {attributes})"


def noted_source(source: ContextSourcePlan, emitter: Emitter, group: ExpressionGroup) -> str:
    """The same, with counting how often it is missing."""
    parent = context_source(source, emitter, group)
    if source.where in ("none", "current", "current_or_ended"):
        return parent
    return emitter.noted("parent", source.span or source.where, source.mark, parent)


def link_code(
    link: LinkPlan, emitter: Emitter, scope: ExpressionScope, rule: Rule, group: ExpressionGroup
) -> tuple[Lines, str]:
    """The code for a link to the first of its sources that exists: lines that follow those of the group, and its value.

    The expressions of a source are not evaluated if one before it exists.
    """
    key = emitter.runtime.link_kind
    attributes = emitter.names.constant(link.kind, {key: link.kind} if key else {})
    local, lines, found = "", Lines(), group
    parts: list[str] = []
    for source in takewhile(lambda source: source.where != "none", link.sources):
        if parts and not all(each is None or each.is_name for each in source_expressions([source])):
            local = local or emitter.names.temporary("link")
            lines += _if_missing(local, found, group, " or ".join(parts))
            parts, found = [], ExpressionGroup(scope, rule)
        if source.each:
            parts.append(_read_each(source, emitter, rule, found, attributes))
        else:
            parts.append(_read(source, _LINK, emitter, found, attributes))
    value = " or ".join(parts)
    return (lines + _if_missing(local, found, group, value), local) if local else ([], value)


def _if_missing(local: str, found: ExpressionGroup, first: ExpressionGroup, value: str) -> Lines:
    """The lines that read a link into a local if it is still missing. The expressions of ``first`` are read already."""
    if found is first:
        return [f"{local} = {value}"]
    return [f"if {local} is None:", *indented([*found.lines(), f"{local} = {value}"])]


def _remote_arguments(source: ContextSourcePlan, group: ExpressionGroup) -> tuple[str, str]:
    assert source.traceparent is not None
    traceparent = group.value("traceparent", source.traceparent.of_trace_context())
    tracestate = group.value("tracestate", source.tracestate.of_trace_context()) if source.tracestate else "None"
    return traceparent, tracestate

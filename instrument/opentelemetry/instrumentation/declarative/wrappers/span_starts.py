"""Generates the code that starts a span: its name, parent, links and attributes are read, its context injected."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import field, replace
from functools import partial

from opentelemetry.instrumentation.declarative.diagnostics.rule_id import RuleId
from opentelemetry.instrumentation.declarative.expressions import Expression
from opentelemetry.instrumentation.declarative.language.values import ContextPart
from opentelemetry.instrumentation.declarative.plan.span_actions import SpanStart, StartSpan, TraceCall
from opentelemetry.instrumentation.declarative.plan.span_plan import AttributePlan, ContextSourcePlan, SpanPlan
from opentelemetry.instrumentation.declarative.plan.stages import Stage
from opentelemetry.instrumentation.declarative.records import record
from opentelemetry.instrumentation.declarative.runtime.context import current
from opentelemetry.instrumentation.declarative.runtime.context.trace_context import all_links
from opentelemetry.instrumentation.declarative.runtime.guard import Rule
from opentelemetry.instrumentation.declarative.runtime.open_spans import missing_key
from opentelemetry.instrumentation.declarative.runtime.starting.span_starters import first_present
from opentelemetry.instrumentation.declarative.wrappers.code_lines import Lines, indented
from opentelemetry.instrumentation.declarative.wrappers.context_code import link_code, noted_source, source_expressions
from opentelemetry.instrumentation.declarative.wrappers.emitter import Emitter
from opentelemetry.instrumentation.declarative.wrappers.expression_group import ExpressionGroup, one_for_each_key
from opentelemetry.instrumentation.declarative.wrappers.expression_scope import ExpressionScope
from opentelemetry.instrumentation.declarative.wrappers.injection_code import (
    assignment_lines,
    carrier_lines,
    written_value,
)

#: If the source of the links is longer than this, each gets a line of its own.
_INLINE_WIDTH = 60


@record
class StartCode:
    """What every start of a span reads, and the arguments with which it is started."""

    #: What is read for every span: whether it is recorded can depend on it, or it can be found by it.
    always: ExpressionGroup
    #: What is read for a span that is recorded.
    group: ExpressionGroup
    #: The locals for whether the span is recorded, and for its draft.
    recorded: str
    draft: str
    arguments: list[str]
    #: The arguments for a span that is not recorded.
    unrecorded: list[str]
    parent: str | None = None
    #: Lines after those of `always`, and after those of `group`.
    after_always: Lines = field(default_factory=list)
    after: Lines = field(default_factory=list)
    #: The local of a parent without which there is no span.
    required: str | None = None
    #: The source of the value that the sampler looks at. None if it looks at no attribute.
    sampled_by: str | None = None

    @property
    def decide(self) -> str:
        """The call of ``Spans.decide``, for a span that has no key."""
        if self.sampled_by:
            return f"decide({self.parent}, {self.sampled_by})"
        return f"decide({self.parent or ''})"

    def argument(self, text: str) -> None:
        """Add an argument, also for a span that is not recorded."""
        self.arguments.append(text)
        self.unrecorded.append(text)


def start_code(
    span: SpanPlan,
    emitter: Emitter,
    scope: ExpressionScope,
    rule: Rule,
    *,
    is_between_moments: bool = False,
) -> StartCode | None:
    """Read the name, attributes, parent and links of a span that starts. None if a name that it needs is missing.

    ``is_between_moments``: an attribute whose names exist only when the span ends is read there.
    """
    parameters = scope.parameters_read
    parts = [
        part for part in span.template.parts if isinstance(part, str) or span.is_read_at_start(part.names, parameters)
    ]
    template = replace(span.template, parts=tuple(parts))
    is_readable = emitter.can_read(scope, f'the span "{span.name}"', [template, *source_expressions(span.parents)])
    if not is_readable and not scope.one_of_many:  # where others have the names, a parent without them is missing here
        return None
    group = ExpressionGroup(scope, rule)
    name = group.rendered_name("name", parts)
    early = [each for each in span.attributes if span.is_read_at_start(each.expression.names, parameters)]
    exceptions: list[str] = []
    if is_between_moments:
        early, exceptions = _readable_attributes(span, early, emitter, scope)
    else:
        early = emitter.readable(scope, early)
    attributes = group.attributes("attributes", early)
    recorded, draft = map(emitter.names.temporary, ("recorded", "draft"))
    always = ExpressionGroup(scope, rule)
    code = StartCode(always, group, recorded, draft, [draft, name, attributes, *exceptions], [draft])
    if span.owner is not None and emitter.can_read(scope, f'the owner of the span "{span.name}"', [span.owner]):
        owner = f"owner={code.always.value('owner', span.owner)}"
        code.argument(owner) if is_between_moments else code.arguments.append(owner)
    code.sampled_by = _sampled_by(span, early, emitter, code)
    code.parent = _parent(span.parents, emitter, code)
    if code.parent:
        code.arguments.append(f"parent={code.parent}")
    links = []
    for link in span.links:
        if emitter.can_read(scope, f"the link {link.kind}", source_expressions(link.sources)):
            lines, found = link_code(link, emitter, scope, rule, group)
            code.after += lines
            found = emitter.noted("link", link.kind, link.sources[0].mark, found)
            if found and link.is_several:
                found = f"*{emitter.names.constant('all_links', all_links)}({found})"
            links += [found] if found else []
    if links and len(", ".join(links)) <= _INLINE_WIDTH:
        code.arguments.append(f"links=[{', '.join(links)}]")
    elif links:
        local = emitter.names.temporary("links")
        code.after += [f"{local} = [", *(f"    {link}," for link in links), "]"]
        code.arguments.append(f"links={local}")
    return code


def _readable_attributes(
    span: SpanPlan, attributes: Iterable[AttributePlan], emitter: Emitter, scope: ExpressionScope
) -> tuple[list[AttributePlan], list[str]]:
    """Those attributes of a span between moments that can be read at this start, and what is read at another moment.

    The latter are arguments: ``unread`` are the keys of attributes that lack names here and are read at the end, and
    ``read`` those of attributes that the plan presumes to be read at the end.
    """
    hooks = emitter.runtime.name_uses.hooks_of(span.name, only_ends=False)
    readable, unread, read = [], [], []
    for each in attributes:
        if emitter.can_read_at(scope, f"the attribute {each.key}", each.expression, hooks):
            readable += [each] if emitter.applies(each.once) else []
        if scope.missing(each.expression):
            unread.append(each.key)
        if not span.is_read_at_start(each.expression.names):
            read.append(each.key)
    keys = {"unread": frozenset(unread), "read": frozenset(read)}
    return readable, [f"{name}={emitter.names.constant(name, value)}" for name, value in keys.items() if value]


def _sampled_by(span: SpanPlan, attributes: Iterable[AttributePlan], emitter: Emitter, code: StartCode) -> str | None:
    """Read the attributes at which the sampler looks; the source of the value of the first one that is present."""
    names = emitter.runtime.sampler_attributes
    if not names:
        return None
    read = {each.key: each for each in one_for_each_key(attributes)}
    found = [
        emitter.names.constant("sampled_by", span.constants[name])
        if name in span.constants
        else code.always.value("sampled_by", read[name].expression)
        for name in names
        if name in span.constants or name in read
    ]
    if len(found) > 1:
        return f"{emitter.names.constant('first_present', first_present)}({', '.join(found)})"
    return found[0] if found else "None"


def started(
    code: StartCode, decide: str, start: Lines, otherwise: Lines, emitter: Emitter, after: Lines | None = None
) -> Lines:
    """The lines that start a span, if a required parent exists.

    ``decide`` is the call that returns whether the span is recorded, and its draft. ``start`` are the lines for one
    that is, ``otherwise`` those for one that is not, and ``after`` those for both.
    """
    lines = [
        f"{code.recorded}, {code.draft} = {decide}",
        f"if {code.recorded}:",
        *indented([*code.group.lines(), *code.after, *start]),
    ]
    if otherwise:
        lines += [f"elif {code.draft} is not None:", *indented(otherwise)]
    lines += after or []
    if code.required:
        lines = [f"if {code.required} is not None:", *indented(lines)]
        not_started = emitter.count_not_emitted("its required parent does not exist")
        lines += ["else:", *indented(not_started)] if not_started else []
    return [*(code.always.lines() if code.always else []), *code.after_always, *lines]


def emit_trace_call(action: TraceCall, emitter: Emitter, scope: ExpressionScope, rule: Rule, stage: Stage) -> Lines:
    span = action.span
    code = start_code(span, emitter, scope, rule)
    if code is None:
        return []
    if emitter.is_generator or not span.type.current:
        code.argument("current=False")
    key = None
    if span.key is not None and emitter.can_read(scope, f'the key of the span "{span.name}"', [span.key]):
        key = code.always.value("key", span.key)
    also = [code.always.value("also", key) for key in span.also if emitter.can_read(scope, "a further key", [key])]
    if also:
        code.argument(f"also=[{', '.join(also)}]")
    local = emitter.call_spans[span.name] = emitter.names.local(f"{span.name}_span")
    spans = emitter.counting_spans(span.name)
    after = _register_key(span, emitter, local, key)
    after += _inject(action, emitter, scope, local, f"{local}.span", stage)
    return started(
        code,
        f"{spans}.{code.decide}",
        [f"{local} = {spans}.enter({', '.join(code.arguments)})"],
        [f"{local} = {spans}.enter_unrecorded({', '.join(code.unrecorded)})"],
        emitter,
        after,
    )


def emit_start_span(action: StartSpan, emitter: Emitter, scope: ExpressionScope, rule: Rule, stage: Stage) -> Lines:
    span = action.span
    code = start_code(span, emitter, scope, rule, is_between_moments=True)
    if code is None or span.key is None or not emitter.can_read(scope, f'the span "{span.name}"', [span.key]):
        return []
    key = code.always.value("key", span.key)
    code.after_always += [f"if {key} is None:", f"    raise {emitter.names.constant('missing_key', missing_key)}()"]
    if action.is_block:
        code.argument("current=True")
    spans = emitter.counting_spans(span.name)
    decide = code.decide
    if action.unless_open:
        decide = decide.replace("decide(", f"decide_unless_open({key}, ", 1)
    local = emitter.names.temporary("span")
    after = _inject(action, emitter, scope, local, local, stage)
    assigned = f"{local} = " if after else ""
    lines = started(
        code,
        f"{spans}.{decide}",
        [f"{assigned}{spans}.begin({', '.join([key, *code.arguments])})"],
        [f"{assigned}{spans}.keep_open({', '.join([key, *code.unrecorded])})"],
        emitter,
        after,
    )
    return [f"{local} = None", *lines] if after else lines


# ── Parent ──


def _parent(sources: Sequence[ContextSourcePlan], emitter: Emitter, code: StartCode) -> str | None:
    """The source for the parent, the first of these that exists. None, and its value None, are the current span."""
    # A current span that is tried last is the parent without being tried.
    tried = sources[:-1] if sources[-1].where == "current" else sources
    candidates = " or ".join(noted_source(source, emitter, code.always) for source in tried)
    if not candidates or sources[0].where == "none":
        return candidates or None
    parent = emitter.names.temporary("parent")
    code.after_always.append(f"{parent} = {candidates}")
    if any(source.required for source in sources):
        code.required = parent
    return parent


# ── What is done with the new span ──


def _inject(action: SpanStart, emitter: Emitter, scope: ExpressionScope, local: str, span: str, stage: Stage) -> Lines:
    """Write the context of the span to the fields that carry it, before the call of the original continues."""
    lines: Lines = []
    found = f"{emitter.names.constant('with_span', current.with_span)}({span})"

    def written(part: ContextPart, target: Expression, rule: Rule) -> Lines:
        if part == "carrier":
            inject = action.span.type.inject
            return carrier_lines(target, inject.form, inject.copies, found, emitter, scope, rule, stage)
        value = emitter.names.temporary(part)
        assignment = [*assignment_lines(part, target, value, scope), *emitter.count_written()]
        read = written_value(part, span, found, emitter)
        return [f"{value} = {read}", f"if {value} is not None:", *indented(assignment)]

    for injection, (part, target) in zip(action.injections, action.span.inject.items(), strict=True):
        if emitter.can_read(scope, f"the injection of {part}", [target]):
            lines += emitter.guarded(injection, partial(written, part, target))
    return [f"if {local} is not None:", *indented(lines)] if lines else []


def _register_key(span: SpanPlan, emitter: Emitter, local: str, key: str | None) -> Lines:
    """Make a span around a call findable by its key. An invalid key does not affect the span itself."""
    if span.key is None or key is None:
        return []
    register = f"{local} = {emitter.spans(span.name)}.register({key}, {local})"
    rule = RuleId("span", span.name, span.key.mark, "key")
    return [f"if {local} is not None:", *indented(emitter.guarded(rule, lambda _: [register], part=True))]

"""Generates the code that ends a span: what is known only then is read, and the outcome set."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from opentelemetry.instrumentation.declarative.expressions import Expression
from opentelemetry.instrumentation.declarative.plan.span_actions import EndSpan, RecordSpan, TraceCall
from opentelemetry.instrumentation.declarative.plan.span_plan import AttributePlan, SpanPlan, StatusPlan
from opentelemetry.instrumentation.declarative.plan.stages import Stage
from opentelemetry.instrumentation.declarative.records import record
from opentelemetry.instrumentation.declarative.runtime.guard import Rule
from opentelemetry.instrumentation.declarative.runtime.open_spans import iterate_keys
from opentelemetry.instrumentation.declarative.wrappers.code_lines import Lines, indented
from opentelemetry.instrumentation.declarative.wrappers.emitter import Emitter
from opentelemetry.instrumentation.declarative.wrappers.expression_group import ExpressionGroup
from opentelemetry.instrumentation.declarative.wrappers.expression_scope import HOOKED, ExpressionScope
from opentelemetry.instrumentation.declarative.wrappers.span_starts import start_code, started
from opentelemetry.instrumentation.declarative.wrappers.status_code import first_status_source


@record(frozen=True)
class _Ending:
    """The end of a span, and what its expressions can read.

    ``starts_with`` are those of ``result`` and ``error`` that are parameters of the call that starts the span.
    ``hooks`` are all at which the span may end; None if it ends in the call or moment in which it starts.
    """

    span: SpanPlan
    emitter: Emitter
    scope: ExpressionScope
    group: ExpressionGroup
    starts_with: frozenset[str] = frozenset()
    hooks: frozenset[str] | None = None

    def is_late(self, names: frozenset[str]) -> bool:
        return not self.span.is_read_at_start(names, self.starts_with)

    def is_due(self, expression: Expression) -> bool:
        """Whether an expression is evaluated at this end. One that reads a count of the span always is."""
        return not expression.names.isdisjoint(self.span.counts) or self.emitter.is_due(self.scope, expression)

    def can_read(self, subject: str, expression: Expression | None, *, only_here: bool = False) -> bool:
        """Whether an expression can be evaluated at this end. ``only_here``: it belongs to this end of several."""
        if expression is None or not self.is_due(expression):
            return False
        if self.hooks is None or only_here:
            return self.emitter.can_read(self.scope, subject, [expression])
        return self.emitter.can_read_at(self.scope, subject, expression, self.hooks)

    def readable(self, attributes: Iterable[AttributePlan], *, only_here: bool = False) -> list[AttributePlan]:
        subject = "the attribute {}".format
        return [
            each
            for each in attributes
            if self.can_read(subject(each.key), each.expression, only_here=only_here)
            and self.emitter.applies(each.once)
        ]


def emit_call_span_end(action: TraceCall, emitter: Emitter, scope: ExpressionScope, stage: Stage) -> Lines:
    """The lines that end a span around the call."""
    span = action.span
    local = emitter.call_spans.get(span.name)
    if local is None:
        return []

    def emit(rule: Rule) -> Lines:
        counts, end_scope = _counts(span, f"{local}.span", emitter, scope)
        group = ExpressionGroup(end_scope, rule)
        ending = _Ending(span, emitter, end_scope, group, scope.outcome_parameters)
        arguments = [local, *_error(scope, stage), *_outcome(ending)]
        leave = f"{emitter.counting_spans(span.name)}.leave"
        lines = [*group.lines(), f"{leave}({', '.join(arguments)})"] if group else []
        without = f"{leave}({', '.join([local, *_error(scope, stage)])})"
        if not lines:
            return [without]
        return [f"if {local}.is_read:", *indented([*counts, *lines]), "else:", f"    {without}"]

    return [f"if {local} is not None:", *indented(emitter.guarded(action.end_rule, emit, always=True))]


def emit_end_span(action: EndSpan, emitter: Emitter, scope: ExpressionScope, rule: Rule, stage: Stage) -> Lines:
    if not emitter.can_read(scope, action.reference, [action.key]):
        return []
    find = ExpressionGroup(scope, rule)
    key = find.value("key", action.key)
    spans, local = emitter.counting_spans(action.span.name), emitter.names.temporary("span")
    counts, end_scope = _counts(action.span, local, emitter, scope)
    group = ExpressionGroup(end_scope, rule)
    hooks = emitter.runtime.name_uses.hooks_of(action.span.name, only_ends=True)
    ending = _Ending(action.span, emitter, end_scope, group, hooks=hooks)
    outcome = _outcome(ending, action.attributes, action.statuses)
    unread, unread_attributes = _unread_attributes(ending, rule)
    arguments = [local, *_error(scope, stage)]
    end = f"{spans}.end({', '.join([*arguments, *outcome, *unread_attributes])})"
    body = [*counts, *(group.lines() if group else []), *unread, end]
    if not action.several:
        return [*find.lines(), f"{local} = {spans}.take({key})", f"if {local} is not None:", *indented(body)]
    one = emitter.names.temporary("one")
    take = [f"{local} = {spans}.take({one})", f"if {local} is not None:", *indented(body)]
    # Each is guarded: an invalid key does not keep the spans after it open.
    each = emitter.guarded(action.rule, lambda _: take, part=True)
    keys = emitter.names.constant("iterate_keys", iterate_keys)
    return [*find.lines(), f"for {one} in {keys}({key}):", *indented(each)]


def emit_counts_so_far(
    action: EndSpan, emitter: Emitter, scope: ExpressionScope, rule: Rule
) -> tuple[Lines, ExpressionScope]:
    """Lines that read the counts of the open span, and the scope with their names, for the condition of its end."""
    if not emitter.can_read(scope, action.reference, [action.key]):
        return [], scope
    find = ExpressionGroup(scope, rule)
    key = find.value("key", action.key)
    local = emitter.names.temporary("open")
    counts, inner = _counts(action.span, local, emitter, scope)
    return [*find.lines(), f"{local} = {emitter.spans(action.span.name)}.find({key})", *counts], inner


def emit_record_span(action: RecordSpan, emitter: Emitter, scope: ExpressionScope, rule: Rule, _stage: Stage) -> Lines:
    span = action.span
    code = start_code(span, emitter, scope, rule)
    if code is None:
        return []
    arguments = list(code.arguments)
    subject = f'the start time of the span "{span.name}"'
    if span.start_time is not None and emitter.can_read(scope, subject, [span.start_time]):
        arguments.append(f"start_time={code.group.value('start_time', span.start_time)}")
    arguments += _outcome(_Ending(span, emitter, scope, code.group, scope.parameters_read))
    spans = emitter.counting_spans(span.name)
    # Nobody finds a span that has ended already: one that is not recorded has no effect.
    otherwise = [] if emitter.stats is None else [f"{spans}.record_unrecorded({code.draft})"]
    return started(code, f"{spans}.{code.decide}", [f"{spans}.record({', '.join(arguments)})"], otherwise, emitter)


def _error(scope: ExpressionScope, stage: Stage) -> list[str]:
    return [scope.locals["error"]] if stage == "raise" else []


def _unread_attributes(ending: _Ending, rule: Rule) -> tuple[Lines, list[str]]:
    """Lines that read the attributes for which a start of the span lacked names, and the argument with them."""
    span, emitter, scope = ending.span, ending.emitter, ending.scope
    uses = emitter.runtime.name_uses
    hooks = uses.hooks_of(span.name, only_ends=False)
    found = [
        each
        for each in span.attributes
        if not ending.is_late(each.expression.names)
        and emitter.can_read_at(scope, f"the attribute {each.key}", each.expression, hooks)
        and uses.may_be_unread(span.name, each.expression.names.difference(scope.context_values, {HOOKED}))
        and emitter.applies(each.once)
    ]
    if not found:
        return [], []
    group = ExpressionGroup(scope, rule)
    value = group.attributes("late", found)
    local = emitter.names.temporary("unread")
    read = [*group.lines(), f"{local} = {value}"]
    return [f"{local} = None", f"if {emitter.spans(span.name)}.unread:", *indented(read)], [f"unread={local}"]


def _outcome(ending: _Ending, more: Iterable[AttributePlan] = (), own_statuses: Sequence[StatusPlan] = ()) -> list[str]:
    """Read what is known when a span ends; return it as keyword arguments of ``Spans.end``."""
    span, group = ending.span, ending.group
    arguments: list[str] = []
    late_parts = [part for part in span.template.parts if isinstance(part, Expression) and ending.is_late(part.names)]
    is_name_readable = late_parts and all(map(ending.is_due, late_parts))
    if is_name_readable and ending.emitter.can_read(
        ending.scope, f'the name of the span "{span.name}"', [span.template]
    ):
        arguments.append(f"name={group.rendered_name('name', span.template.parts)}")
    late = ending.readable(each for each in span.attributes if ending.is_late(each.expression.names))
    if attributes := [*late, *ending.readable(more, only_here=True)]:
        arguments.append(f"attributes={group.attributes('attributes', attributes)}")
    statuses = [*((each, True) for each in own_statuses), *((each, False) for each in span.statuses)]
    values: dict[str, Expression | None] = {}
    if len(statuses) == 1 and statuses[0][0].when is None and not statuses[0][0].unset:
        ((status, only_here),) = statuses
        for keyword, expression in (("status", status.error), ("ok", status.ok)):
            if ending.can_read(f'the status of the span "{span.name}"', expression, only_here=only_here):
                values[keyword] = expression
    else:
        own = {id(status) for status, only_here in statuses if only_here}
        subject = f'a status of the span "{span.name}"'
        source = first_status_source(
            [status for status, _ in statuses],
            group,
            ending.scope,
            lambda status, each: ending.can_read(subject, each, only_here=id(status) in own),
        )
        arguments += [f"status={source}"] if source else []
    values.update(
        (keyword, expression)
        for keyword, expression in (("exception", span.exception), ("end_time", span.end_time))
        if ending.can_read(f'the {keyword} of the span "{span.name}"', expression)
    )
    return [*arguments, *(f"{keyword}={group.value(keyword, each)}" for keyword, each in values.items() if each)]


def _counts(span: SpanPlan, local: str, emitter: Emitter, scope: ExpressionScope) -> tuple[Lines, ExpressionScope]:
    """Lines that read the counts of a span that ends, and the scope with their names."""
    locals_ = {name: emitter.names.temporary(name) for name in span.counts}
    if not locals_:
        return [], scope
    names = emitter.names.constant("counts", span.counts)
    left = ", ".join(locals_.values())
    comma = "," if len(locals_) == 1 else ""
    spans, zeros = emitter.spans(span.name), ", ".join("0" for _ in locals_)
    line = f"{left}{comma} = {spans}.counts_of({local}, {names}) if {spans}.counts else ({zeros}{comma})"
    return [line], scope.with_counts(**locals_)

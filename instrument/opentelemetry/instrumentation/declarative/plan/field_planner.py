"""Plans what is read from and written into fields of the program: trace context, and any other value."""

from __future__ import annotations

from opentelemetry.instrumentation.declarative.language.nodes.assignment import Assignment
from opentelemetry.instrumentation.declarative.language.nodes.injection import Injection
from opentelemetry.instrumentation.declarative.language.nodes.spec import Spec
from opentelemetry.instrumentation.declarative.plan.actions import ExtractContext, InjectContext, SetField
from opentelemetry.instrumentation.declarative.plan.expression_reader import ENTER, ExpressionReader, Phases
from opentelemetry.instrumentation.declarative.plan.hook_planner import AT_HOOK, HookPlanner
from opentelemetry.instrumentation.declarative.plan.span_planner import source_plans


def add_extractions(spec: Spec, hooks: HookPlanner, reader: ExpressionReader) -> None:
    """Add the extractions of a spec to its hooks."""
    for each in spec.extractions:
        assert each.around is not None
        action = ExtractContext(
            mark=each.mark,
            when=reader.optional(each.when, ENTER, AT_HOOK),
            name=each.name,
            carrier=reader.optional(each.carrier, ENTER, AT_HOOK),
            traceparent=reader.optional(each.traceparent, ENTER, AT_HOOK),
            tracestate=reader.optional(each.tracestate, ENTER, AT_HOOK),
            baggage=reader.optional(each.baggage, ENTER, AT_HOOK),
        )
        hook = hooks.hook(each.around.value, each.around.mark)
        if hook is not None:
            hook.actions["enter"].append(action)


def add_injections(spec: Spec, hooks: HookPlanner, reader: ExpressionReader) -> None:
    """Add the injections of a spec to its hooks."""
    for injection in spec.injections:
        action = _injection(injection, tuple(at.phase for at in injection.at), spec, reader)
        for at in injection.at:
            hooks.at(at, action)


def add_assignments(spec: Spec, hooks: HookPlanner, reader: ExpressionReader) -> None:
    """Add the assignments of a spec to its hooks."""
    for assignment in spec.assignments:
        action = _assignment(assignment, tuple(at.phase for at in assignment.at), reader)
        if action is not None:
            for at in assignment.at:
                hooks.at(at, action)


def _injection(injection: Injection, phases: Phases, spec: Spec, reader: ExpressionReader) -> InjectContext:
    if injection.of[0].where == "none":
        reader.problem(
            injection.of[0].mark,
            "nothing-to-inject",
            f'the injection "{injection.name}" has no span whose context it could write',
            "name a span with of:, or remove of: for the current span",
        )
    targets = {
        part: reader.expression(text, phases) if part == "carrier" else reader.target(text, phases)
        for part, text in injection.fields.items()
    }
    return InjectContext(
        mark=injection.mark,
        when=reader.optional(injection.when, phases),
        name=injection.name,
        fields={part: target for part, target in targets.items() if target is not None},
        sources=source_plans(injection.of, phases, spec, reader),
    )


def _assignment(assignment: Assignment, phases: Phases, reader: ExpressionReader) -> SetField | None:
    assert assignment.field is not None and assignment.value is not None
    when = reader.optional(assignment.when, phases)
    field = reader.target(assignment.field, phases)
    value = reader.expression(assignment.value, phases)
    if field is None or value is None:
        return None
    return SetField(mark=assignment.mark, when=when, name=assignment.name, field=field, value=value)

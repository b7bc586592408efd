"""Plans what is written into fields of the program: trace context, and other values."""

from __future__ import annotations

from opentelemetry.instrumentation.declarative.language.nodes.injection import Injection
from opentelemetry.instrumentation.declarative.language.nodes.spec import Spec
from opentelemetry.instrumentation.declarative.language.values import Text
from opentelemetry.instrumentation.declarative.plan.call_actions import InjectContext, SetField
from opentelemetry.instrumentation.declarative.plan.expression_reader import ExpressionReader, Phases
from opentelemetry.instrumentation.declarative.plan.field_reader import at_moments
from opentelemetry.instrumentation.declarative.plan.hook_planner import HookPlanner
from opentelemetry.instrumentation.declarative.plan.span_planner import source_plans


def add_injections(spec: Spec, hooks: HookPlanner, reader: ExpressionReader) -> None:
    """Add the injections of a spec to its hooks."""
    for injection in spec.inject:
        phases = tuple(at.phase for at in injection.at)
        action: InjectContext | SetField | None
        if injection.field is not None and injection.value is not None:
            action = _value(injection, injection.field, injection.value, phases, reader)
        else:
            action = _trace_context(injection, phases, spec, reader)
        if action is not None:
            hooks.add(action, *injection.at)


def _trace_context(injection: Injection, phases: Phases, spec: Spec, reader: ExpressionReader) -> InjectContext:
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
        when=at_moments(reader, phases).expression(injection, "when"),
        name=injection.name,
        fields={part: target for part, target in targets.items() if target is not None},
        sources=source_plans(injection.of, phases, spec, reader),
        form=injection.form,
        copies=injection.copies,
    )


def _value(injection: Injection, field: Text, value: Text, phases: Phases, reader: ExpressionReader) -> SetField | None:
    when = at_moments(reader, phases).expression(injection, "when")
    target, read = reader.target(field, phases), reader.expression(value, phases)
    if target is None or read is None:
        return None
    return SetField(mark=injection.mark, when=when, name=injection.name, field=target, value=read)

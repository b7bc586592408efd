"""Plans what is in the context during calls: values, extracted trace context, and suppressed instrumentation."""

from __future__ import annotations

from opentelemetry.instrumentation.declarative.language.nodes.context_entry import ContextEntry
from opentelemetry.instrumentation.declarative.language.nodes.spec import Spec
from opentelemetry.instrumentation.declarative.language.values import Text
from opentelemetry.instrumentation.declarative.plan.actions import NamedAction
from opentelemetry.instrumentation.declarative.plan.call_actions import (
    ExtractContext,
    SetContextValue,
    SuppressInstrumentation,
)
from opentelemetry.instrumentation.declarative.plan.expression_reader import ExpressionReader
from opentelemetry.instrumentation.declarative.plan.field_reader import before_calls
from opentelemetry.instrumentation.declarative.plan.hook_planner import HookPlanner


def add_context(spec: Spec, hooks: HookPlanner, reader: ExpressionReader) -> None:
    """Add the context entries of a spec to its hooks."""
    reader.check_names(Text(each.name, each.mark) for each in spec.context if each.value)
    for entry in spec.context:
        action = _action(entry, reader)
        hook = hooks.hook(entry.during.value, entry.during.mark)
        if action is not None and hook is not None:
            hook.actions["enter"].append(action)


def _action(entry: ContextEntry, reader: ExpressionReader) -> NamedAction | None:
    fields = before_calls(reader)
    name, mark, when = entry.name, entry.mark, fields.expression(entry, "when")
    if entry.value is not None:
        value = fields.expression(entry, "value")
        return None if value is None else SetContextValue(mark=mark, when=when, name=name, value=value)
    if entry.suppress is not None:
        return SuppressInstrumentation(mark=mark, when=when, name=name, suppressed=entry.suppress)
    return ExtractContext(
        mark=mark,
        when=when,
        name=name,
        carrier=fields.expression(entry, "carrier"),
        traceparent=fields.expression(entry, "traceparent"),
        tracestate=fields.expression(entry, "tracestate"),
        baggage=fields.expression(entry, "baggage"),
    )

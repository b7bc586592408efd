"""Makes the plans of owners, and checks which spans belong to them."""

from __future__ import annotations

from opentelemetry.instrumentation.declarative.expressions import Expression
from opentelemetry.instrumentation.declarative.language.nodes.close import Close
from opentelemetry.instrumentation.declarative.language.nodes.owner import Owner
from opentelemetry.instrumentation.declarative.language.nodes.span import SpanType
from opentelemetry.instrumentation.declarative.language.nodes.spec import Spec
from opentelemetry.instrumentation.declarative.plan.call_actions import EndOwnedSpans
from opentelemetry.instrumentation.declarative.plan.expression_reader import EXIT, ExpressionReader
from opentelemetry.instrumentation.declarative.plan.field_reader import FieldReader, at_moments
from opentelemetry.instrumentation.declarative.plan.hook_planner import HookPlanner
from opentelemetry.instrumentation.declarative.plan.model import OwnerPlan, SinkPlan


def owner_of(span: SpanType, spec: Spec, fields: FieldReader, reader: ExpressionReader) -> Expression | None:
    """The expression for the object that a span belongs to."""
    if span.owner is None:
        return None
    owner = spec.owners.get(span.owner.value)
    if owner is None:
        define = f"write owners: {{NAME: {{object: {span.owner.value}}}}}, and use that name"
        reader.unknown(span.owner, "owner", spec.owners, None if spec.owners else define)
        return None
    return fields.expression(owner, "object")


def owner_plans(spec: Spec, hooks: HookPlanner, reader: ExpressionReader) -> tuple[OwnerPlan, ...]:
    """Plan the owners, and the moments at which they are closed."""
    return tuple(_owner_plan(owner, spec, hooks, reader) for owner in spec.owners.values())


def _owner_plan(owner: Owner, spec: Spec, hooks: HookPlanner, reader: ExpressionReader) -> OwnerPlan:
    reader.expression(owner.object, EXIT)  # valid even if no span has the owner
    for close in owner.closes:
        fields = at_moments(reader, (close.at.phase,))
        closed = fields.text(close.closed_object or owner.object, Close, "closed_object")
        if closed is not None:
            when = fields.expression(close, "when")
            action = EndOwnedSpans(
                mark=close.at.mark, when=when, name=owner.name, owner=closed, reason=owner.end_reason
            )
            hooks.add(action, close.at)
    sink = None
    if owner.sink is not None:
        sink = SinkPlan(owner.name, owner.sink.mark, owner.sink.sink_class, owner.sink.options)
    spans = tuple(span.name for span in spec.spans.values() if span.owner and span.owner.value == owner.name)
    return OwnerPlan(owner.name, spans, sink)

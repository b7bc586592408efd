"""Makes the plans of mirrors, and checks them."""

from __future__ import annotations

from opentelemetry.instrumentation.declarative.language.nodes.mirror import Mirror
from opentelemetry.instrumentation.declarative.language.nodes.span import SpanType
from opentelemetry.instrumentation.declarative.language.nodes.spec import Spec
from opentelemetry.instrumentation.declarative.plan.expression_reader import ENTER, ExpressionReader
from opentelemetry.instrumentation.declarative.plan.model import MirrorPlan


def mirror_plans(spec: Spec, reader: ExpressionReader) -> tuple[MirrorPlan, ...]:
    """Plan the mirrors that are enabled."""
    for span in spec.spans.values():
        _check(span, spec, reader)
    plans = (_mirror(mirror, spec, reader) for mirror in spec.mirrors)
    return tuple(plan for plan in plans if plan is not None)


def _mirror(mirror: Mirror, spec: Spec, reader: ExpressionReader) -> MirrorPlan | None:
    store = reader.expression(mirror.store, ENTER)
    if store is None:
        return None
    for name in sorted(store.names - {"owner"}):
        reader.problem(
            store.name_marks[name],
            "unknown-name",
            f'"{name}" is not available: a store is read from the span\'s owner',
            "start with owner, as in owner.store",
        )
    if not mirror.enabled:
        return None
    spans = tuple(span.name for span in spec.spans.values() if span.mirror and span.mirror.value == mirror.name)
    return MirrorPlan(mirror.name, mirror.mark, spans, mirror.sink, store, mirror.path, mirror.rotate)


def _check(span: SpanType, spec: Spec, reader: ExpressionReader) -> None:
    if span.mirror is None:
        return
    known = [mirror.name for mirror in spec.mirrors]
    if span.mirror.value not in known:
        reader.unknown(span.mirror, "mirror", known)
    if span.owner is None:
        reader.problem(
            span.mirror.mark,
            "no-owner",
            f'the span "{span.name}" has no `owner`: its store cannot be found',
            "add owner: to the span, with the object that it belongs to",
        )

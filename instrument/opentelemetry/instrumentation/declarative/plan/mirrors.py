"""The mirrors of a spec: which spans each takes, and what is wrong with that."""

from __future__ import annotations

from opentelemetry.instrumentation.declarative.language.spec_model import Mirror, SpanType, Spec
from opentelemetry.instrumentation.declarative.plan.expression_reader import ENTER, Texts
from opentelemetry.instrumentation.declarative.plan.model import MirrorPlan


def mirrors_of(spec: Spec, texts: Texts) -> tuple[MirrorPlan, ...]:
    """The plans of the mirrors that are on."""
    for span in spec.spans.values():
        _check(span, spec, texts)
    found = [plan for mirror in spec.mirrors if (plan := _mirror(mirror, spec, texts)) is not None]
    return tuple(found)


def _mirror(mirror: Mirror, spec: Spec, texts: Texts) -> MirrorPlan | None:
    store = texts.expression(mirror.store, ENTER)
    if store is None:
        return None
    for name in sorted(store.names - {"owner"}):
        texts.problem(
            store.name_marks[name],
            "unknown-name",
            f'"{name}" is not there: a store is read from the span\'s owner',
            "begin with owner, as in owner.store",
        )
    if not mirror.enabled:
        return None
    spans = tuple(span.name for span in spec.spans.values() if span.mirror and span.mirror.value == mirror.name)
    return MirrorPlan(mirror.name, mirror.mark, spans, mirror.sink, store, mirror.path, mirror.rotate)


def _check(span: SpanType, spec: Spec, texts: Texts) -> None:
    if span.mirror is None:
        return
    known = [mirror.name for mirror in spec.mirrors]
    if span.mirror.value not in known:
        texts.unknown(span.mirror, "mirror", known)
    if span.owner is None:
        texts.problem(
            span.mirror.mark,
            "no-owner",
            f'the span "{span.name}" has no `owner`: its store cannot be found',
            "write owner: and the object that the span belongs to, under the span",
        )

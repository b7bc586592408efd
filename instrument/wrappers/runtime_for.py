"""What the wrappers of one spec share at run time: its spans, functions and taps, made once."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from functools import partial
from typing import TYPE_CHECKING, Any

from opentelemetry.trace import Span, Tracer

from instrument.expressions import HELPERS
from instrument.functions import FUNCTIONS
from instrument.plan.model import MirrorPlan, Plan, SpanPlan
from instrument.runtime.guard import Rule
from instrument.runtime.mirror import Mirror
from instrument.runtime.sampling import Sampling
from instrument.runtime.spans import Spans

if TYPE_CHECKING:
    from opentelemetry.metrics import Meter

    from instrument.runtime.metrics import Instrument, OfSpans


class Runtime:
    """The run-time objects of one spec.

    ``make_tap`` gives the pass-through class of a tap; ``first`` is called when the first span is open; ``meter`` is
    there where the plan has metrics.
    """

    def __init__(
        self,
        plan: Plan,
        tracer: Tracer,
        make_tap: Callable[[str], type],
        first: Callable[[], None] | None = None,
        meter: Meter | None = None,
    ) -> None:
        self.link_kind = plan.spec.vocabulary.link_kind
        self.instruments: dict[str, Instrument] = {}
        measured = {} if meter is None else self._instruments(plan, meter)
        self.spans = {name: _spans(span, tracer, measured.get(name, [])) for name, span in plan.spans.items()}
        for spans in self.spans.values():
            spans.first = first
        self.functions: dict[str, Callable[..., Any]] = {name: function for name, (function, _, _) in FUNCTIONS.items()}
        self.carried: dict[str, ContextVar[Any]] = {
            name: ContextVar(f"instrument {plan.spec.name} {name}", default=None) for name in plan.carried
        }
        self._mirrors = [self._mirror(mirror) for mirror in plan.mirrors]
        self._make_tap = make_tap
        self._taps: dict[str, type] = {}

    def _instruments(self, plan: Plan, meter: Meter) -> dict[str, list[OfSpans]]:
        """Make the instruments; gives those that measure spans, by their type."""
        from instrument.runtime.metrics import Instrument, OfSpans

        measured: dict[str, list[OfSpans]] = {}
        for metric in plan.metrics:
            self.instruments[metric.name] = Instrument(meter, metric)
            if metric.span is not None:
                measured.setdefault(metric.span, []).append(OfSpans(metric, self.instruments[metric.name]))
        return measured

    def tap(self, name: str) -> type:
        """The pass-through class of a tap, the same one every time."""
        if name not in self._taps:
            self._taps[name] = self._make_tap(name)
        return self._taps[name]

    def _mirror(self, plan: MirrorPlan) -> tuple[Mirror, Callable[[Any], Any]]:
        """A mirror and how its store is read from an owner; its spans know it from now on."""
        # A store that fails for hours may well recover.
        rule = Rule(f"mirror {plan.name}", plan.mark, most=None)
        helpers = {name.strip(".()"): helper for name, helper in HELPERS.items()}
        # Written by `Expression.fast` from a checked tree.
        source = f"lambda owner: {plan.store.fast(lambda name: name.strip('.()'))}"
        read: Callable[[Any], Any] = eval(source, {**self.functions, **helpers})
        mirror = Mirror(plan.path, rule, plan.rotate)

        def store_of(owner: Any) -> Any:
            try:
                return read(owner)
            except Exception as error:
                rule.failed(error)

        def add(owner: Any, span: Span) -> None:
            try:
                mirror.add(store_of(owner), span)
            except Exception as error:
                rule.failed(error)

        for name in plan.spans:
            self.spans[name].mirrors.append(add)
        return mirror, store_of

    def close_owned(self, owner: Any, why: str) -> None:
        """End every open span of an owner, marked with why."""
        for spans in self.spans.values():
            spans.close_owned(owner, why)

    async def flush(self, owner: Any) -> None:
        """Wait, for a bounded time, until all mirrored spans of an owner are written."""
        for mirror, store_of in self._mirrors:
            await mirror.flush(store_of(owner))

    def close(self, *, running: bool = False) -> None:
        """End every span that is still open; with ``running`` those around running calls as well."""
        for spans in self.spans.values():
            spans.close(running=running)


def _spans(span: SpanPlan, tracer: Tracer, metrics: list[OfSpans]) -> Spans:
    """The spans of one type."""
    made: Callable[..., Spans] = Spans
    if metrics:
        from instrument.runtime.metrics import MeasuredSpans

        made = partial(MeasuredSpans, metrics=metrics)
    return made(
        tracer,
        span.kind,
        span.constants,
        limit=span.limit,
        age=span.age,
        remember=span.remember,
        sampling=None if span.sample is None else Sampling(span.sample),
        failed=Rule(f"span {span.name} ends", span.mark, most=None).failed,
    )

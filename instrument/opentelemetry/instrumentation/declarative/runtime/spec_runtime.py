"""What the wrappers of one spec share at run time: its spans, functions and taps, made once."""

from __future__ import annotations

import ast
from collections.abc import Callable
from contextvars import ContextVar
from functools import partial
from typing import TYPE_CHECKING, Any

from opentelemetry.instrumentation.declarative.diagnostics.problems import Mark
from opentelemetry.instrumentation.declarative.expressions import HELPERS, Expression
from opentelemetry.instrumentation.declarative.expressions.functions import FUNCTIONS
from opentelemetry.instrumentation.declarative.language.spec_model import Target
from opentelemetry.instrumentation.declarative.plan.model import Finish, MirrorPlan, Plan, SpanPlan
from opentelemetry.instrumentation.declarative.runtime.guard import MOST_FAILURES, Rule
from opentelemetry.instrumentation.declarative.runtime.sampling import Sampling
from opentelemetry.instrumentation.declarative.runtime.sinks import Sink, SinkFactory
from opentelemetry.instrumentation.declarative.runtime.spans import Spans
from opentelemetry.trace import Span, Tracer

if TYPE_CHECKING:
    from opentelemetry.instrumentation.declarative.runtime.instruments import Instrument, OfSpans
    from opentelemetry.instrumentation.declarative.runtime.rule_stats import Tallies
    from opentelemetry.metrics import Meter


class Runtime:
    """The run-time objects of one spec.

    ``make_tap`` gives the pass-through class of a tap; ``first`` is called when the first span is open; ``meter`` is
    there where the plan has metrics. ``before``: those of the spec as it was before it was changed; what is under way
    in them goes on here. ``tallies``: where what comes of each rule is counted; None where no report is asked for.
    ``load_sink`` gives the class of a mirror's sink, None where it cannot be loaded: nothing is written then.
    """

    def __init__(
        self,
        plan: Plan,
        tracer: Tracer,
        make_tap: Callable[[str], type],
        first: Callable[[], None] | None = None,
        meter: Meter | None = None,
        before: Runtime | None = None,
        tallies: Tallies | None = None,
        load_sink: Callable[[Target], SinkFactory | None] = lambda _target: None,
    ) -> None:
        self._plan = plan
        self._tallies = tallies
        self.link_kind = plan.spec.vocabulary.link_kind
        self.instruments: dict[str, Instrument] = {}
        measured = {} if meter is None else self._instruments(plan, meter)
        self.spans = {name: self._made(span, tracer, measured.get(name, [])) for name, span in plan.spans.items()}
        for spans in self.spans.values():
            spans.first = first
        #: Types of span that the spec no longer has, and of which a call may still have one.
        self._left_out: list[Spans] = []
        if before is not None:
            self._take_over_spans(before)
        self.functions: dict[str, Callable[..., Any]] = {name: function for name, (function, _, _) in FUNCTIONS.items()}
        self.carried: dict[str, ContextVar[Any]] = {
            name: (before.carried.get(name) if before else None)
            or ContextVar(f"instrument {plan.spec.name} {name}", default=None)
            for name in plan.carried
        }
        mirrors: dict[str, list[Callable[[Any, Span], None]]] = {name: [] for name in self.spans}
        self._load_sink = load_sink
        self._mirrors = [each for mirror in plan.mirrors if (each := self._mirror(mirror, before, mirrors)) is not None]
        for name, added in mirrors.items():
            self.spans[name].mirrors = added
        self._make_tap = make_tap
        self._taps: dict[str, type] = {}
        if before is not None:
            known = plan.taps
            self._taps = {
                name: tap
                for name, tap in before._taps.items()
                if name in known and str(known[name].base) == str(before._plan.taps[name].base)
            }

    def _take_over_spans(self, before: Runtime) -> None:
        """Go on with the types of span that are still there; open spans that no rule would end are not kept."""
        self._left_out = [spans for spans in before._left_out if spans.running]
        for name, spans in before.spans.items():
            if name in self.spans:
                spans.change(self.spans[name])
                self.spans[name] = spans
            else:
                self._left_out.append(spans)

    def end_what_nothing_ends(self, before: Runtime, why: str) -> None:
        """End the open spans of a spec that has been changed for which it has no rule any longer."""
        ended = {
            action.span.name
            for hooks in self._plan.joined
            for hook in hooks
            for actions in hook.actions.values()
            for action in actions
            if isinstance(action, Finish)
        }
        for spans in self._left_out:
            spans.leave_out(why)
        for name, spans in before.spans.items():
            if name not in ended or _text(self._plan.spans[name].key) != _text(before._plan.spans[name].key):
                spans.leave_out(why)

    def _made(self, span: SpanPlan, tracer: Tracer, metrics: list[OfSpans]) -> Spans:
        """The spans of one type."""
        measures = None
        if metrics:
            from opentelemetry.instrumentation.declarative.runtime.instruments import Measures

            measures = Measures(metrics)
        make: Callable[..., Spans] = Spans if self._tallies is None else partial(self._tallies.spans, span.name)
        return make(
            tracer,
            span.kind,
            span.constants,
            limit=span.limit,
            age=span.age,
            remember=span.remember,
            sampling=None if span.sample is None else Sampling(span.sample),
            measures=measures,
            failed=self.rule(f"span {span.name} ends", span.mark, most=None).failed,
        )

    def _instruments(self, plan: Plan, meter: Meter) -> dict[str, list[OfSpans]]:
        """Make the instruments; gives those that measure spans, by their type."""
        from opentelemetry.instrumentation.declarative.runtime.instruments import Instrument, OfSpans

        measured: dict[str, list[OfSpans]] = {}
        for metric in plan.metrics:
            self.instruments[metric.name] = Instrument(meter, metric)
            if metric.span is not None:
                measured.setdefault(metric.span, []).append(OfSpans(metric, self.instruments[metric.name]))
        return measured

    def rule(self, what: str, mark: Mark, most: int | None = MOST_FAILURES) -> Rule:
        """A rule of the spec, counted where a report is asked for."""
        return Rule(what, mark, most, None if self._tallies is None else self._tallies.of(what, mark))

    def tap(self, name: str) -> type:
        """The pass-through class of a tap, the same one every time."""
        if name not in self._taps:
            self._taps[name] = self._make_tap(name)
        return self._taps[name]

    def _mirror(
        self, plan: MirrorPlan, before: Runtime | None, added: dict[str, list[Callable[[Any, Span], None]]]
    ) -> tuple[Sink, Callable[[Any], Any]] | None:
        """The sink of a mirror and how its store is read from an owner; its spans write to it from now on."""
        # A store that fails for hours may well recover.
        rule = self.rule(f"mirror {plan.name}", plan.mark, most=None)
        helpers = {name.strip(".()"): helper for name, helper in HELPERS.items()}
        # Written by `Expression.fast` from a checked tree.
        source = f"lambda owner: {plan.store.fast(lambda name: name.strip('.()'))}"
        read: Callable[[Any], Any] = eval(source, {**self.functions, **helpers})
        known = (each for each, _ in (before._mirrors if before else ()) if each.writes(plan.path, plan.rotate))
        sink = next(known, None)
        if sink is None:
            make_sink = self._load_sink(plan.sink)
            if make_sink is None:
                return None
            sink = make_sink(plan.path, rule, plan.rotate)
        take = sink.add if rule.tally is None else rule.tally.watched(sink.add)

        def store_of(owner: Any) -> Any:
            try:
                return read(owner)
            except Exception as error:
                rule.failed(error)

        def add(owner: Any, span: Span) -> None:
            try:
                take(store_of(owner), span)
            except Exception as error:
                rule.failed(error)

        for name in plan.spans:
            added[name].append(add)
        return sink, store_of

    def close_owned(self, owner: Any, why: str) -> None:
        """End every open span of an owner, marked with why."""
        for spans in self.spans.values():
            spans.close_owned(owner, why)

    async def flush(self, owner: Any) -> None:
        """Wait, for a bounded time, until all mirrored spans of an owner are written."""
        for sink, store_of in self._mirrors:
            await sink.flush(store_of(owner))

    def close(self, why: str = "shutdown", *, running: bool = False) -> None:
        """End every span that is still open, marked; with ``running`` those around running calls as well."""
        for spans in (*self.spans.values(), *self._left_out):
            spans.close(why, running=running)


def _text(expression: Expression | None) -> str:
    return "" if expression is None else ast.dump(expression.tree)

"""A type of span in words: what it is, where it starts and ends, and what is read for it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from opentelemetry.instrumentation.declarative.inspection.explain.output import Line, as_data, as_text
from opentelemetry.instrumentation.declarative.inspection.explain.overview_answer import CONTENT_OFF, content_left_out
from opentelemetry.instrumentation.declarative.inspection.explain.phrases import attributes, sources, statuses
from opentelemetry.instrumentation.declarative.language.spec_model import Sample
from opentelemetry.instrumentation.declarative.plan.model import (
    STAGES,
    Action,
    Around,
    Begin,
    CallPlan,
    Finish,
    HookPlan,
    Pin,
    Plan,
    Reading,
    Shot,
    SpanPlan,
    Stage,
    Tally,
)


class At(NamedTuple):
    """An action that has to do with a span, and where it happens."""

    action: Any
    hook: HookPlan
    call: CallPlan
    stages: tuple[Stage, ...]


def about(name: str, plan: Plan) -> list[At]:
    """Everything that a plan does with the spans of a type."""
    found: dict[tuple[int, int], At] = {}
    for call in plan.calls:
        for hook in call.hooks:
            for stage in STAGES:
                for action in hook.actions[stage]:
                    if _of(action) == name:
                        key = (id(action), id(hook))
                        before = found[key].stages if key in found else ()
                        found[key] = At(action, hook, call, (*before, stage))
    return [*found.values()]


def _of(action: Action) -> str | None:
    if isinstance(action, (Pin, Tally)):
        return action.span
    span = getattr(action, "span", None)
    return span.name if isinstance(span, SpanPlan) else None


class SpanTypes:
    """The types of span of a name, each of another spec."""

    clean = True

    def __init__(self, spans: Sequence[tuple[str, Plan]]) -> None:
        self.lines = [span_type(name, plan) for name, plan in spans]

    def text(self) -> str:
        return "\n\n".join("\n".join(as_text([line])) for line in self.lines)

    def data(self) -> dict[str, Any]:
        return {"spans": as_data(self.lines)}


def span_type(name: str, plan: Plan) -> Line:
    """A type of span of a plan, in words."""
    span = plan.spans[name]
    where = about(name, plan)
    around = any(isinstance(at.action, Around) for at in where)
    what = "around a call" if around else "at one moment" if plan.spec.spans[name].at else "between two moments"
    title = f"{plan.spec.name}:{name}, a span {what}, of kind {span.kind}"
    return Line(title, span.mark, tuple(_below(span, plan, where)))


_MEASURED = {"histogram": "how long each lasts", "counter": "how many end", "up_down_counter": "how many are open"}


def _sampled(sample: Sample) -> str:
    rate = None if sample.per_second is None else f"{sample.per_second:g} a second"
    part = None if sample.ratio == 1 else f"{sample.ratio:.0%} of the traces"
    return f"recorded of it: at most {' and '.join(filter(None, (part, rate))) or 'all'}"


def _below(span: SpanPlan, plan: Plan, where: list[At]) -> Iterator[Line]:
    name = span.name
    yield Line(f"named {span.template.text}{_late(span, span.template.names)}", span.template.mark)
    yield from _lifetime(span, where)
    if span.key is not None:
        yield Line(f"key: {span.key.text}", span.key.mark)
    for alias in span.aliases:
        yield Line(f"after its end it is found by {alias.text} as well", alias.mark)
    yield Line(f"parent: {sources(span.parents)}", span.parents[0].mark)
    if span.links:
        linked = (Line(f"{link.kind} to {sources(link.sources)}", link.sources[0].mark) for link in span.links)
        yield Line("links", None, tuple(linked))
    if span.constants:
        yield Line("always", None, tuple(Line(f"{key} = {value!r}") for key, value in span.constants.items()))
    yield from _read(span, where)
    left_out = content_left_out(plan.spec.spans[span.name], plan)
    if left_out:
        content = tuple(Line(f"{each.key} = {each.value.value}", each.value.mark) for each in left_out)
        yield Line(f"not recorded, because {CONTENT_OFF}", None, content)
    for title, pins in (
        ("events", [at for at in where if isinstance(at.action, Pin) and at.action.template is not None]),
        ("updates", [at for at in where if isinstance(at.action, Pin) and at.action.template is None]),
        ("counts", [at for at in where if isinstance(at.action, Tally)]),
    ):
        if pins:
            yield Line(title, None, tuple(map(_happening, pins)))
    for status in span.statuses:
        yield from statuses(status)
    for metric in plan.metrics:
        if metric.span == name:
            yield Line(f"the metric {metric.name} has {_MEASURED[metric.instrument]}", metric.mark)
    if span.sample is not None:
        yield Line(_sampled(span.sample), span.mark)
    if span.exception is not None:
        yield Line(f"exception: {span.exception.text}", span.exception.mark)
    for word, field in span.inject.items():
        yield Line(f"its {word} is written into {field.text} when it starts", field.mark)
    if span.owner is not None:
        mirror = next((each.name for each in plan.mirrors if span.name in each.spans), None)
        also = f", and it is also written to the mirror {mirror}" if mirror else ""
        yield Line(f"belongs to {span.owner.text}{also}", span.owner.mark)


def _lifetime(span: SpanPlan, where: list[At]) -> Iterator[Line]:
    for at in where:
        if isinstance(at.action, Around):
            yield Line(f"runs from the beginning to the end of {_place(at, moment=False)}", at.action.mark)
        elif isinstance(at.action, Shot):
            yield Line(f"starts and ends when {_place(at)}", at.action.mark)
            for word, time in (("starts", span.start_time), ("ends", span.end_time)):
                if time is not None:
                    yield Line(f"backdated: it {word} at {time.text}", time.mark)
        elif isinstance(at.action, Begin):
            names = tuple(Line(f"{name} is {value.text}", value.mark) for name, value in at.action.names.items())
            resumes = ", unless one is open under its key" if at.action.resumes else ""
            yield Line(f"starts when {_place(at)}{resumes}", at.action.mark, names)
    for at in where:
        if isinstance(at.action, Finish):
            own = span.key is not None and at.action.key.text == span.key.text
            key = "" if own else f", found by {at.action.key.text}"
            only = attributes(at.action.readings)
            yield Line(f"ends when {_place(at)}{key}", at.action.mark, only)


def _read(span: SpanPlan, where: list[At]) -> Iterator[Line]:
    """The attributes, by when they are read."""
    groups: dict[str, list[Reading]] = {}
    for reading in span.readings:
        groups.setdefault(_when(span, reading.expression.names), []).append(reading)
    started = [at.call.target for at in where if isinstance(at.action, (Around, Begin, Shot))]
    ended = [at.call.target for at in where if isinstance(at.action, (Around, Finish, Shot))]
    for when, readings in groups.items():
        targets = dict.fromkeys(str(target) for target in (started if when == _START else ended))
        yield Line(f"attributes read {when}, from {_listed(targets)}", None, attributes(readings))


_START = "when it starts"


def _when(span: SpanPlan, names: frozenset[str]) -> str:
    if span.early(names):
        return _START
    wanted = [word for name, word in (("result", "has returned"), ("error", "has raised")) if name in names]
    return "when it ends" + (f" and the call {' or '.join(wanted)}" if wanted else "")


def _late(span: SpanPlan, names: frozenset[str]) -> str:
    return "" if span.early(names) else f" ({_when(span, names)})"


def _happening(at: At) -> Line:
    """An event, an update or a count: what it is and when it happens."""
    action = at.action
    template = getattr(action, "template", None)
    name = action.name if template is None else template.text
    key = "" if action.key is None else f", found by {action.key.text}"
    below = attributes(action.readings) if isinstance(action, Pin) else ()
    return Line(f"{name} when {_place(at)}{key}", action.mark, below)


_VERBS: dict[tuple[Stage, ...], str] = {
    ("enter",): "is called",
    ("return",): "returns",
    ("raise",): "raises",
    ("return", "raise"): "returns or raises",
}


def _place(at: At, *, moment: bool = True) -> str:
    """The moment at which an action happens, and under what conditions."""
    verb = f" {_VERBS.get(at.stages, 'is over')}" if moment else ""
    when = [each.text for each in (at.hook.when, at.action.when) if each is not None]
    condition = f", if {' and '.join(f'({each})' if len(when) > 1 else each for each in when)}" if when else ""
    return f"{at.call.target}{verb}{condition}"


def _listed(texts: Iterable[str]) -> str:
    *first, last = texts
    return f"{', '.join(first)} and {last}" if first else last

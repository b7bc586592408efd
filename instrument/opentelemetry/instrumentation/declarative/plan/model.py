"""A plan: per callable, the hooks on it and what happens at each of their moments."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from opentelemetry.instrumentation.declarative.diagnostics.problems import Mark, Problem
from opentelemetry.instrumentation.declarative.expressions import Expression, Template
from opentelemetry.instrumentation.declarative.language.spec_model import Hook, Instrument, Sample, Spec, Target

Stage = Literal["enter", "return", "raise"]
STAGES: tuple[Stage, ...] = ("enter", "return", "raise")

#: The names that exist only at certain moments.
DYNAMIC = frozenset({"result", "error"})
#: Which of them exist at each stage.
THERE: Mapping[Stage, frozenset[str]] = {
    "enter": frozenset(),
    "return": frozenset({"result"}),
    "raise": frozenset({"error"}),
}


@dataclass(frozen=True, slots=True)
class Reading:
    """An attribute and the expression that it is read from."""

    key: str
    expression: Expression


@dataclass(frozen=True, slots=True)
class Source:
    """Where a parent or link points, with its expressions."""

    where: Literal["none", "current", "span", "traceparent"]
    mark: Mark
    span: str | None = None
    key: Expression | None = None
    required: bool = False
    traceparent: Expression | None = None
    tracestate: Expression | None = None


@dataclass(frozen=True, slots=True)
class LinkPlan:
    """A link and where it leads: to the first of its sources that is there."""

    kind: str
    sources: tuple[Source, ...]


@dataclass(frozen=True, slots=True)
class StatusPlan:
    """A status and where it applies."""

    when: Expression | None
    error: Expression | None
    ok: Expression | None
    unset: bool


@dataclass(frozen=True, slots=True)
class SpanPlan:
    """A type of span with its expressions parsed."""

    name: str
    mark: Mark
    template: Template
    kind: str
    constants: Mapping[str, object]
    parents: tuple[Source, ...]
    links: tuple[LinkPlan, ...]
    key: Expression | None
    aliases: tuple[Expression, ...]
    inject: Mapping[str, Expression]
    readings: tuple[Reading, ...]
    start_time: Expression | None
    end_time: Expression | None
    exception: Expression | None
    statuses: tuple[StatusPlan, ...]
    remember: int
    limit: int
    age: int | None
    start_has: frozenset[str]
    owner: Expression | None = None
    counts: tuple[str, ...] = ()
    sample: Sample | None = None

    def early(self, names: frozenset[str]) -> bool:
        """Whether what reads these names is read when the span starts; what is not is read when it ends."""
        return DYNAMIC & names <= self.start_has and names.isdisjoint(self.counts)

    def readable(self, names: frozenset[str], stage: Stage) -> bool:
        """Whether what reads these names can be read when the span ends at a stage; its counts can at each."""
        return not names.isdisjoint(self.counts) or readable(names, stage)


@dataclass(frozen=True, slots=True)
class Around:
    """The span runs from the call's beginning to its end and is the current one meanwhile."""

    span: SpanPlan
    when: Expression | None
    mark: Mark


@dataclass(frozen=True, slots=True)
class Begin:
    """A keyed span starts and stays open. ``resumes``: not where one is open under the key."""

    span: SpanPlan
    when: Expression | None
    mark: Mark
    names: Mapping[str, Expression]
    resumes: bool


@dataclass(frozen=True, slots=True)
class Finish:
    """The open span with this key ends."""

    span: SpanPlan
    when: Expression | None
    key: Expression
    readings: tuple[Reading, ...]
    mark: Mark
    #: Whether ``key`` is a list of keys, each of a span that ends.
    several: bool = False


@dataclass(frozen=True, slots=True)
class Shot:
    """A span that starts and ends at one moment."""

    span: SpanPlan
    when: Expression | None
    mark: Mark


@dataclass(frozen=True, slots=True)
class Pin:
    """An event on the span of a type with a key or, without a type, on the current span.

    Without a template, attributes of the span itself.
    """

    name: str
    span: str | None
    when: Expression | None
    key: Expression | None
    template: Template | None
    readings: tuple[Reading, ...]
    mark: Mark


@dataclass(frozen=True, slots=True)
class Tally:
    """One more of what is counted on the span of a type with a key."""

    name: str
    span: str
    when: Expression | None
    key: Expression
    mark: Mark


@dataclass(frozen=True, slots=True)
class Measure:
    """A metric takes up a value, or 1. ``only``: the condition of one of several values."""

    name: str
    when: Expression | None
    only: Expression | None
    value: Expression | None
    readings: tuple[Reading, ...]
    mark: Mark


@dataclass(frozen=True, slots=True)
class Carry:
    """A value that is known by its name until the call is over, in all that it calls."""

    name: str
    value: Expression
    when: Expression | None
    mark: Mark


@dataclass(frozen=True, slots=True)
class Write:
    """Fields of the host's are set: each to a word of a span's trace context, or one to a value."""

    name: str
    when: Expression | None
    words: Mapping[str, Expression]
    of: tuple[Source, ...]
    field: Expression | None
    value: Expression | None
    mark: Mark


@dataclass(frozen=True, slots=True)
class Plug:
    """A tap is plugged into the library."""

    tap: str
    call: Expression
    when: Expression | None
    mark: Mark


@dataclass(frozen=True, slots=True)
class Close:
    """An owner is over: its open spans end, and what is mirrored of them is written out."""

    name: str
    owner: Expression
    mark: Mark
    when: Expression | None = None


Action = Carry | Around | Begin | Finish | Shot | Pin | Tally | Measure | Write | Plug | Close


@dataclass(slots=True)
class HookPlan:
    """A hook and what happens at each of its moments."""

    hook: Hook
    when: Expression | None
    args: tuple[str, ...]
    names: Mapping[str, Expression]
    actions: dict[Stage, list[Action]] = field(default_factory=lambda: {stage: [] for stage in STAGES})


@dataclass(slots=True)
class CallPlan:
    """A callable, or a method of a tap, and the hooks on it."""

    target: Target
    tap: str | None = None
    hooks: list[HookPlan] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class MirrorPlan:
    """A file for ended spans; ``store`` is read from an ``owner``."""

    name: str
    mark: Mark
    spans: tuple[str, ...]
    sink: Target
    store: Expression
    path: str
    rotate: int | None


@dataclass(frozen=True, slots=True)
class MetricPlan:
    """An instrument; with ``span`` it is that type of span which it counts or measures."""

    name: str
    mark: Mark
    instrument: Instrument
    unit: str
    brief: str
    boundaries: tuple[float, ...]
    span: str | None
    span_attributes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TapPlan:
    name: str
    base: Target
    mark: Mark


@dataclass(slots=True)
class Plan:
    """All that a spec asks for. ``modules`` are those whose import has to be waited for."""

    spec: Spec
    spans: dict[str, SpanPlan]
    taps: dict[str, TapPlan]
    calls: list[CallPlan]
    problems: list[Problem]
    mirrors: tuple[MirrorPlan, ...] = ()
    carried: tuple[str, ...] = ()
    metrics: tuple[MetricPlan, ...] = ()
    #: The hooks on several callables. Which these are is known when their modules are there.
    patterns: tuple[HookPlan, ...] = ()

    @property
    def joined(self) -> list[list[HookPlan]]:
        """The hooks that share a wrapper; those on several callables each by themselves."""
        return [*(call.hooks for call in self.calls), *([hook] for hook in self.patterns)]

    @property
    def modules(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(call.target.module for call in self.calls))


def readable(names: Iterable[str], stage: Stage) -> bool:
    """Whether what reads these names can be read at a stage: of ``result`` and ``error`` one at least must be there."""
    dynamic = DYNAMIC.intersection(names)
    return not dynamic or bool(dynamic & THERE[stage])

"""A spec as it was meant: frozen records, no behaviour. Every text keeps the place where it stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from opentelemetry.instrumentation.declarative.diagnostics.problems import Mark

Phase = Literal["enter", "return", "raise", "exit"]
SpanKind = Literal["internal", "client", "server", "producer", "consumer"]
Instrument = Literal["counter", "up_down_counter", "histogram", "gauge"]
Constant = str | int | float | bool | list[str]


@dataclass(frozen=True, slots=True)
class Text:
    """A text of the spec, mostly an expression or a template, and where it stands."""

    value: str
    mark: Mark


@dataclass(frozen=True, slots=True)
class Target:
    """A callable or class by the module that defines it and its name there: ``shop.cart:Cart.checkout``."""

    module: str
    path: str
    mark: Mark

    def __str__(self) -> str:
        return f"{self.module}:{self.path}"


@dataclass(frozen=True, slots=True)
class Calls:
    """Several callables: those that a pattern meets and that pass every filter. An empty filter lets all pass."""

    include: tuple[Target, ...]
    exclude: tuple[Target, ...] = ()
    subclass_of: Target | None = None
    decorated_by: tuple[str, ...] = ()
    takes: tuple[str, ...] = ()
    returns: tuple[str, ...] = ()
    limit: int = 100


@dataclass(frozen=True, slots=True)
class Hook:
    """A named callable of the library, several callables, or a method of a tap; with a condition and given names.

    ``direct``: it is not an entry of ``hooks``, but comes from a span's ``around: module:Class.method``; its name is
    the target as written there.
    """

    name: str
    mark: Mark
    target: Target | None
    calls: Calls | None = None
    tap: Text | None = None
    method: Text | None = None
    when: Text | None = None
    args: tuple[Text, ...] = ()
    names: Mapping[str, Text] = field(default_factory=dict)
    name_marks: Mapping[str, Mark] = field(default_factory=dict)
    direct: bool = False


@dataclass(frozen=True, slots=True)
class Moment:
    """One moment of a hook. ``exit`` is either of ``return`` and ``raise``."""

    hook: str
    phase: Phase
    mark: Mark


@dataclass(frozen=True, slots=True)
class Tap:
    """A pass-through of the library's own extension class, plugged in by calling one of the library's methods."""

    name: str
    mark: Mark
    base: Target
    at: Moment
    call: Text
    when: Text | None


@dataclass(frozen=True, slots=True)
class Attribute:
    """An attribute to be read. ``content`` marks what a person wrote or a model said."""

    key: str
    value: Text
    content: bool = False
    brief: str | None = None


@dataclass(frozen=True, slots=True)
class ContextSource:
    """Where a parent or a link points: nowhere, the current span, a span of a type by key, a W3C traceparent."""

    mark: Mark
    where: Literal["none", "current", "span", "traceparent"]
    span: Text | None = None
    key: Text | None = None
    required: bool = False
    traceparent: Text | None = None
    tracestate: Text | None = None


@dataclass(frozen=True, slots=True)
class Link:
    """A link to another span and its kind. Of the sources the first that is there counts."""

    kind: str
    sources: tuple[ContextSource, ...]


@dataclass(frozen=True, slots=True)
class Event:
    """An event pinned on a span: on the one with ``key`` of the type it stands under, else on the current one.

    Without a template it is no event but an update: the span itself takes the attributes.
    """

    name: str
    mark: Mark
    template: Text | None
    at: tuple[Moment, ...]
    when: Text | None
    key: Text | None
    attributes: tuple[Attribute, ...]
    brief: str | None = None


@dataclass(frozen=True, slots=True)
class Count:
    """What happens to an open span and is counted on it, for the expressions of its end."""

    name: str
    mark: Mark
    at: tuple[Moment, ...]
    when: Text | None
    key: Text | None


@dataclass(frozen=True, slots=True)
class Start:
    """A moment at which a span begins; ``names`` are those that only this moment gives."""

    at: Moment
    when: Text | None = None
    names: Mapping[str, Text] = field(default_factory=dict)
    resumes: bool = False
    name_marks: Mapping[str, Mark] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class End:
    at: Moment
    when: Text | None = None
    key: Text | None = None
    keys: Text | None = None
    attributes: tuple[Attribute, ...] = ()


@dataclass(frozen=True, slots=True)
class Status:
    """How a span ended, where ``when`` holds."""

    when: Text | None
    error: Text | None
    ok: Text | None
    unset: bool


@dataclass(frozen=True, slots=True)
class Sample:
    """A bound on how many spans of a type are recorded."""

    per_second: float | None
    ratio: float


@dataclass(frozen=True, slots=True)
class SpanType:
    """A type of span: around a call, between moments (``starts`` and ``ends``), or at one moment (``at``)."""

    name: str
    mark: Mark
    template: Text
    type: str
    kind: SpanKind
    around: str | None
    starts: tuple[Start, ...]
    ends: tuple[End, ...]
    at: Moment | None
    start_time: Text | None
    end_time: Text | None
    when: Text | None
    parents: tuple[ContextSource, ...]
    key: Text | None
    aliases: tuple[Text, ...]
    remember: int
    limit: int
    age: int | None
    inject_traceparent: Text | None
    inject_tracestate: Text | None
    links: tuple[Link, ...]
    attributes: tuple[Attribute, ...]
    constants: Mapping[str, Constant]
    events: tuple[Event, ...]
    counts: tuple[Count, ...]
    exception: Text | None
    statuses: tuple[Status, ...]
    sample: Sample | None = None
    brief: str | None = None
    owner: Text | None = None
    mirror: Text | None = None
    around_mark: Mark | None = None


@dataclass(frozen=True, slots=True)
class Value:
    """What a metric takes up at its moments; without a ``value`` it is 1."""

    mark: Mark
    when: Text | None
    value: Text | None
    attributes: tuple[Attribute, ...]


@dataclass(frozen=True, slots=True)
class Metric:
    """What is counted or measured: of the spans of a type (``span``), or at moments (``at``)."""

    name: str
    mark: Mark
    instrument: Instrument
    unit: Text | None
    brief: str | None
    boundaries: tuple[float, ...]
    span: Text | None
    span_attributes: tuple[Text, ...]
    at: tuple[Moment, ...]
    when: Text | None
    values: tuple[Value, ...]
    attributes: tuple[Attribute, ...]


@dataclass(frozen=True, slots=True)
class Carried:
    """A value that a call carries into everything that it calls, by its name there."""

    name: str
    mark: Mark
    during: Text
    value: Text
    when: Text | None


@dataclass(frozen=True, slots=True)
class Write:
    """Fields of the program's own that are set at a moment: to the current trace context, or ``field`` to ``value``."""

    name: str
    mark: Mark
    at: tuple[Moment, ...]
    when: Text | None
    traceparent: Text | None
    tracestate: Text | None
    span_context: Text | None
    of: tuple[ContextSource, ...]
    field: Text | None
    value: Text | None


@dataclass(frozen=True, slots=True)
class Closing:
    """A moment at which an owner is over: its open spans end, marked with the closing's name."""

    name: str
    at: Moment
    owner: Text


@dataclass(frozen=True, slots=True)
class Mirror:
    """A file in a store of the library's own that ended spans are also written to."""

    name: str
    mark: Mark
    sink: Target
    store: Text
    path: str
    rotate: int | None
    enabled: bool


@dataclass(frozen=True, slots=True)
class Distribution:
    """The library a spec is for, and the versions it knows."""

    name: str
    version: str
    mark: Mark


@dataclass(frozen=True, slots=True)
class Scope:
    """The instrumentation scope of the spans."""

    name: str
    version: str | None = None
    schema_url: str | None = None


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The attribute keys that carry a span's type and a link's kind; what attributes and kinds of link mean."""

    span_type: str | None = None
    link_kind: str = "link.kind"
    attributes: Mapping[str, str] = field(default_factory=dict)
    links: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Spec:
    """One spec, with everything that extends it merged in."""

    name: str
    file: str
    target: Distribution | None
    scope: Scope
    vocabulary: Vocabulary
    functions: Mapping[str, Target]
    hooks: Mapping[str, Hook]
    carried: tuple[Carried, ...]
    taps: Mapping[str, Tap]
    spans: Mapping[str, SpanType]
    events: tuple[Event, ...]
    metrics: tuple[Metric, ...]
    writes: tuple[Write, ...]
    closings: tuple[Closing, ...]
    mirrors: tuple[Mirror, ...]

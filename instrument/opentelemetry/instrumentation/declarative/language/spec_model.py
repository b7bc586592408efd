"""The model of a spec: frozen records without behaviour. Every text keeps its mark."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from opentelemetry.instrumentation.declarative.diagnostics.problems import Mark

Phase = Literal["enter", "item", "return", "raise", "exit"]
SpanKind = Literal["internal", "client", "server", "producer", "consumer"]
#: The current span, the one that was current before the call, or the first of the trace in this process.
SpanOfCall = Literal["current", "parent", "root"]
Instrument = Literal["counter", "up_down_counter", "histogram", "gauge"]
Constant = str | int | float | bool | list[str]


@dataclass(frozen=True, slots=True)
class Text:
    """A text of the spec, usually an expression or a template, with its mark."""

    value: str
    mark: Mark


@dataclass(frozen=True, slots=True)
class Flag:
    """A value that is true or false, with its mark."""

    value: bool
    mark: Mark


@dataclass(frozen=True, slots=True)
class Target:
    """A callable or class by its module and its qualified name: ``shop.cart:Cart.checkout``."""

    module: str
    path: str
    mark: Mark

    def __str__(self) -> str:
        return f"{self.module}:{self.path}"


@dataclass(frozen=True, slots=True)
class Calls:
    """Several callables: those that match a pattern and pass every filter. An empty filter passes all."""

    include: tuple[Target, ...]
    exclude: tuple[Target, ...] = ()
    subclass_of: Target | None = None
    decorated_by: tuple[str, ...] = ()
    takes: tuple[str, ...] = ()
    returns: tuple[str, ...] = ()
    limit: int = 100


@dataclass(frozen=True, slots=True)
class Hook:
    """A named callable of the library, several callables, or a method of a tap, with a condition and extra names.

    ``direct``: it is not an entry of ``hooks`` but comes from a span's ``around: module:Class.method``. Its name is the
    target as written there.
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
    follow_result: bool | None = None


@dataclass(frozen=True, slots=True)
class Moment:
    """A moment of a hook. ``exit`` stands for both ``return`` and ``raise``."""

    hook: str
    phase: Phase
    mark: Mark


@dataclass(frozen=True, slots=True)
class Tap:
    """A pass-through subclass of the library's own extension class, installed by calling a method of the library."""

    name: str
    mark: Mark
    base: Target
    at: Moment
    call: Text
    when: Text | None


@dataclass(frozen=True, slots=True)
class Attribute:
    """An attribute and its expression. ``content``: its value is text of a person or a model."""

    key: str
    value: Text
    content: bool = False
    brief: str | None = None


@dataclass(frozen=True, slots=True)
class ContextSource:
    """Where the context of a parent or link comes from: the current span, a span by its key, a traceparent, or none."""

    mark: Mark
    where: Literal["none", "current", "span", "traceparent"]
    span: Text | None = None
    key: Text | None = None
    required: bool = False
    traceparent: Text | None = None
    tracestate: Text | None = None


@dataclass(frozen=True, slots=True)
class Link:
    """A link to another span and its kind. The first source that has a context is used."""

    kind: str
    sources: tuple[ContextSource, ...]


@dataclass(frozen=True, slots=True)
class Event:
    """An event on the span with ``key`` of the type that it is under, otherwise on the span ``of`` the call.

    Without a template it is not an event but an update: attributes and status are set on the span itself.
    """

    name: str
    mark: Mark
    template: Text | None
    at: tuple[Moment, ...]
    when: Text | None
    key: Text | None
    attributes: tuple[Attribute, ...]
    brief: str | None = None
    #: Whether it is recorded only the first time for each span.
    once: bool = False
    of: SpanOfCall = "current"
    statuses: tuple[Status, ...] = ()


@dataclass(frozen=True, slots=True)
class Count:
    """A counter of an open span, for the expressions at its end."""

    name: str
    mark: Mark
    at: tuple[Moment, ...]
    when: Text | None
    key: Text | None


@dataclass(frozen=True, slots=True)
class Start:
    """A moment at which a span starts. ``names`` are defined at this moment only."""

    at: Moment
    when: Text | None = None
    names: Mapping[str, Text] = field(default_factory=dict)
    resumes: bool = False
    name_marks: Mapping[str, Mark] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class End:
    """A moment at which a span ends. ``keys`` is an expression for the keys of several spans."""

    at: Moment
    when: Text | None = None
    key: Text | None = None
    keys: Text | None = None
    attributes: tuple[Attribute, ...] = ()
    statuses: tuple[Status, ...] = ()


@dataclass(frozen=True, slots=True)
class Status:
    """The status of a span if ``when`` is true."""

    when: Text | None
    error: Text | None
    ok: Text | None
    unset: bool
    #: Whether the description is content. None: if the exceptions of the span are.
    content: bool | None = None


@dataclass(frozen=True, slots=True)
class Sample:
    """A limit to how many spans of a type are recorded."""

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
    #: Whether the texts of exceptions are content. None: if anything in the spec is.
    exception_content: bool | None = None
    sample: Sample | None = None
    brief: str | None = None
    owner: Text | None = None
    mirror: Text | None = None
    around_mark: Mark | None = None
    follow_result: Flag | None = None


@dataclass(frozen=True, slots=True)
class Value:
    """A value that a metric records at its moments. Without a ``value`` it is 1."""

    mark: Mark
    when: Text | None
    value: Text | None
    attributes: tuple[Attribute, ...]


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric, derived from the spans of a type (``span``) or recorded at moments (``at``)."""

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
    """A value that a call passes to everything that it calls, under a name."""

    name: str
    mark: Mark
    during: Text
    value: Text
    when: Text | None


@dataclass(frozen=True, slots=True)
class Write:
    """Sets fields of the application at a moment: to a trace context, or ``field`` to ``value``."""

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
    """A moment at which an owner is closed: its open spans end, marked with the name of the closing."""

    name: str
    at: Moment
    owner: Text


@dataclass(frozen=True, slots=True)
class Mirror:
    """A file in a store of the library to which ended spans are written as well."""

    name: str
    mark: Mark
    sink: Target
    store: Text
    path: str
    rotate: int | None
    enabled: bool


@dataclass(frozen=True, slots=True)
class Distribution:
    """The distribution of a library, and a specifier of the supported versions."""

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
    """The attribute keys for a span's type and a link's kind, and descriptions of attributes and kinds of links."""

    span_type: str | None = None
    link_kind: str = "link.kind"
    attributes: Mapping[str, str] = field(default_factory=dict)
    links: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Spec:
    """A spec with all its layers merged."""

    name: str
    file: str
    target: Distribution | None
    scope: Scope
    vocabulary: Vocabulary
    functions: Mapping[str, Target]
    loaders: Mapping[str, Target]
    hooks: Mapping[str, Hook]
    carried: tuple[Carried, ...]
    taps: Mapping[str, Tap]
    spans: Mapping[str, SpanType]
    events: tuple[Event, ...]
    metrics: tuple[Metric, ...]
    writes: tuple[Write, ...]
    closings: tuple[Closing, ...]
    mirrors: tuple[Mirror, ...]
    #: Whether anything in it is marked as content.
    has_content: bool = False

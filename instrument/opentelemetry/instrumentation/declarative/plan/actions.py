"""What can happen at a stage of a hooked call: one class for each action."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from opentelemetry.instrumentation.declarative.diagnostics.problems import Mark
from opentelemetry.instrumentation.declarative.diagnostics.rule_id import RuleId, RuleKind, RulePart
from opentelemetry.instrumentation.declarative.expressions import Expression, Template
from opentelemetry.instrumentation.declarative.language.values import ContextPart, SpanOfCall, Suppressed
from opentelemetry.instrumentation.declarative.plan.span_plan import (
    AttributePlan,
    ContextSourcePlan,
    SpanPlan,
    StatusPlan,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Action(ABC):
    """Something that happens at a stage, if its condition is true. ``attributes`` are those that it reads itself."""

    mark: Mark
    when: Expression | None = None
    attributes: tuple[AttributePlan, ...] = ()

    kind: ClassVar[RuleKind]
    part: ClassVar[RulePart | None] = None

    @property
    @abstractmethod
    def subject(self) -> str:
        """The name of the spec's entry that the action comes from."""

    @property
    def rule(self) -> RuleId:
        return RuleId(self.kind, self.subject, self.mark, self.part)

    @property
    def reference(self) -> str:
        """The entry as the subject of a sentence: ``the event "sold"``."""
        return f'the {self.kind} "{self.subject}"'

    @property
    def span_name(self) -> str | None:
        """The span type that the action starts, changes or ends; None for the current span or none at all."""
        return None

    @property
    def given_names(self) -> frozenset[str]:
        """The names that the action defines for its own expressions."""
        return frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedAction(Action):
    """An action from an entry that has its name in the spec."""

    name: str

    @property
    def subject(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenSpanAction(NamedAction):
    """An action on an open span, found by its type and key, or without a key on the one around the same call.

    Without a type it is on the span ``of`` the call.
    """

    span: str | None
    key: Expression | None
    of: SpanOfCall = "current"

    @property
    def span_name(self) -> str | None:
        return self.span


@dataclass(frozen=True, slots=True, kw_only=True)
class SpanAction(Action):
    """The start or end of a span, or both."""

    span: SpanPlan

    kind = "span"

    @property
    def subject(self) -> str:
        return self.span.name

    @property
    def span_name(self) -> str | None:
        return self.span.name

    @property
    def given_names(self) -> frozenset[str]:
        return frozenset(self.span.counts)


# ── Spans ──


@dataclass(frozen=True, slots=True, kw_only=True)
class SpanStart(SpanAction):
    """A span starts and stays open."""

    part = "start"

    @property
    def injections(self) -> tuple[RuleId, ...]:
        """The rules that write the context of the new span into fields of the program."""
        return tuple(RuleId("span", self.subject, field.mark, part) for part, field in self.span.inject.items())


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceCall(SpanStart):
    """The span lasts from the start to the end of the call, and is the current span in between."""

    @property
    def end_rule(self) -> RuleId:
        return self.span.end_rule


@dataclass(frozen=True, slots=True, kw_only=True)
class StartSpan(SpanStart):
    """A span with a key starts. ``unless_open``: only if none is open under the key. ``is_block``: it is the current
    span until it ends.
    """

    names: Mapping[str, Expression]
    unless_open: bool
    is_block: bool = False

    @property
    def reference(self) -> str:
        return f'this start of the span "{self.subject}"'

    @property
    def given_names(self) -> frozenset[str]:
        return frozenset({*self.span.counts, *self.names})


@dataclass(frozen=True, slots=True, kw_only=True)
class EndSpan(SpanAction):
    """The open span with this key ends. ``several``: the key is a list of keys, each of a span that ends."""

    key: Expression
    several: bool = False
    #: Tried before those of the span.
    statuses: tuple[StatusPlan, ...] = ()

    part = "end"

    @property
    def reference(self) -> str:
        return f'this end of the span "{self.subject}"'


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordSpan(SpanAction):
    """A span starts and ends at one moment."""


# ── On an open span ──


@dataclass(frozen=True, slots=True, kw_only=True)
class AddEvent(OpenSpanAction):
    """An event is added to a span. ``once``: only the first time for each span."""

    template: Template
    once: bool = False

    kind = "event"


@dataclass(frozen=True, slots=True, kw_only=True)
class SetAttributes(OpenSpanAction):
    """Attributes of a span are set, and its name. ``once``: a condition that is decided when a callable is patched."""

    once: Expression | None = None
    template: Template | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SetAttribute(SetAttributes):
    """A single attribute is set on a span."""

    kind = "attribute"


@dataclass(frozen=True, slots=True, kw_only=True)
class SetAttributeGroup(SetAttributes):
    """The attributes of a group are set on a span."""

    kind = "attribute group"


@dataclass(frozen=True, slots=True, kw_only=True)
class SetStatus(OpenSpanAction):
    """The status of a span is set to the first that applies."""

    statuses: tuple[StatusPlan, ...]

    kind = "status"

    @property
    def reference(self) -> str:
        return f'a status of the span "{self.span}"' if self.span else f"a status of the {self.of} span"


@dataclass(frozen=True, slots=True, kw_only=True)
class EmitLog(OpenSpanAction):
    """A log record is emitted in the context of a span."""

    event_name: str
    severity: str | None
    body: Expression | None

    kind = "log record"


@dataclass(frozen=True, slots=True, kw_only=True)
class CallFunction(OpenSpanAction):
    """A function of the spec is called with a span and these arguments."""

    arguments: tuple[Expression, ...]

    kind = "function"


@dataclass(frozen=True, slots=True, kw_only=True)
class IncrementCount(OpenSpanAction):
    """A count of a span goes up by one."""

    span: str
    key: Expression

    kind = "count"


# ── Everything else ──


@dataclass(frozen=True, slots=True, kw_only=True)
class HookValue(NamedAction):
    """The result or a parameter of the call is hooked: what the program gets, or passes on, stands for it."""

    value: str

    kind = "hook"
    part = "value"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordMetric(NamedAction):
    """A metric records a value, or 1. ``only``: the condition of one of its values."""

    only: Expression | None
    value: Expression | None

    kind = "metric"


@dataclass(frozen=True, slots=True, kw_only=True)
class SetContextValue(NamedAction):
    """A value is available under its name until the call ends, in everything that it calls."""

    value: Expression

    kind = "context value"


@dataclass(frozen=True, slots=True, kw_only=True)
class SuppressInstrumentation(NamedAction):
    """What the call calls is not recorded, until it ends."""

    suppressed: Suppressed

    kind = "suppression"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtractContext(NamedAction):
    """The context in a carrier, or in single fields, is current until the call ends. Everything else comes after it."""

    carrier: Expression | None = None
    traceparent: Expression | None = None
    tracestate: Expression | None = None
    baggage: Expression | None = None

    kind = "extraction"

    @property
    def fields(self) -> dict[str, Expression]:
        """What is read, by its name."""
        found = {name: getattr(self, name) for name in ("carrier", "traceparent", "tracestate", "baggage")}
        return {name: expression for name, expression in found.items() if expression is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class InjectContext(NamedAction):
    """Fields of the program are set to parts of a span's trace context: the first of ``sources`` that exists."""

    fields: Mapping[ContextPart, Expression]
    sources: tuple[ContextSourcePlan, ...]

    kind = "injection"


@dataclass(frozen=True, slots=True, kw_only=True)
class SetField(NamedAction):
    """A field of the program is set to a value."""

    field: Expression
    value: Expression

    kind = "injection"


@dataclass(frozen=True, slots=True, kw_only=True)
class InstallExtension(NamedAction):
    """An extension is installed in the library."""

    call: Expression

    kind = "extension"

    @property
    def given_names(self) -> frozenset[str]:
        return frozenset({"extension"})


@dataclass(frozen=True, slots=True, kw_only=True)
class EndOwnedSpans(NamedAction):
    """The open spans of an owner end, and their sink is flushed."""

    owner: Expression
    #: The value of `instrument.end`.
    reason: str

    kind = "owner"


#: The order of actions at one stage of one hook: a span exists before its events, and these precede its end. Actions of
#: one group keep the order of the spec.
_ORDER: tuple[tuple[type[Action], ...], ...] = (
    (ExtractContext,),
    (TraceCall,),
    (StartSpan,),
    (RecordSpan,),
    (AddEvent, SetAttributes, SetStatus, EmitLog),
    (CallFunction,),
    (IncrementCount,),
    (RecordMetric,),
    (InjectContext, SetField),
    (EndSpan,),
    (HookValue,),
    (SetContextValue, SuppressInstrumentation),
    (InstallExtension,),
    (EndOwnedSpans,),
)


#: What surrounds a call, and cannot happen several times in it.
AROUND_CALL = (TraceCall, SetContextValue, SuppressInstrumentation, ExtractContext)


def position(action: Action) -> int:
    """The position of an action among those at the same stage."""
    return next(index for index, types in enumerate(_ORDER) if isinstance(action, types))

"""The actions of a call apart from its spans: what it records, reads and changes."""

from __future__ import annotations

from collections.abc import Mapping

from opentelemetry.instrumentation.declarative.expressions import Expression
from opentelemetry.instrumentation.declarative.language.values import ContextPart, Suppressed
from opentelemetry.instrumentation.declarative.plan.actions import NamedAction
from opentelemetry.instrumentation.declarative.plan.span_plan import ContextSourcePlan
from opentelemetry.instrumentation.declarative.records import record


@record(frozen=True, kw_only=True)
class HookValue(NamedAction):
    """The result or a parameter of the call is hooked: what the program gets, or passes on, stands for it."""

    value: str

    kind = "hook"
    part = "value"


@record(frozen=True, kw_only=True)
class RecordMetric(NamedAction):
    """A metric records a value, or 1. ``only``: the condition of one of its values."""

    only: Expression | None
    value: Expression | None

    kind = "metric"


@record(frozen=True, kw_only=True)
class SetContextValue(NamedAction):
    """A value is available under its name until the call ends, in everything that it calls."""

    value: Expression

    kind = "context value"


@record(frozen=True, kw_only=True)
class SuppressInstrumentation(NamedAction):
    """Nothing that the call calls is recorded, until it ends."""

    suppressed: Suppressed

    kind = "suppression"


@record(frozen=True, kw_only=True)
class ExtractContext(NamedAction):
    """The context in a carrier, or in single fields, is current until the call ends. Everything else comes after it."""

    carrier: Expression | None = None
    traceparent: Expression | None = None
    tracestate: Expression | None = None
    baggage: Expression | None = None

    kind = "extraction"

    @property
    def fields(self) -> dict[str, Expression]:
        """The expressions by the names of the fields."""
        found = {name: getattr(self, name) for name in ("carrier", "traceparent", "tracestate", "baggage")}
        return {name: expression for name, expression in found.items() if expression is not None}


@record(frozen=True, kw_only=True)
class InjectContext(NamedAction):
    """Fields of the program are set to parts of a span's trace context: the first of ``sources`` that exists."""

    fields: Mapping[ContextPart, Expression]
    sources: tuple[ContextSourcePlan, ...]
    #: The form of a carrier that is missing or empty.
    form: str | None = None
    #: Whether a copy of a carrier takes its place.
    copies: bool = False

    kind = "injection"


@record(frozen=True, kw_only=True)
class SetField(NamedAction):
    """A field of the program is set to a value."""

    field: Expression
    value: Expression

    kind = "injection"


@record(frozen=True, kw_only=True)
class InstallExtension(NamedAction):
    """An extension is installed in the library."""

    call: Expression

    kind = "extension"

    @property
    def given_names(self) -> frozenset[str]:
        return frozenset({"extension"})


@record(frozen=True, kw_only=True)
class EndOwnedSpans(NamedAction):
    """The open spans of an owner end, and their sink is flushed."""

    owner: Expression
    #: The value of `instrument.end`.
    reason: str

    kind = "owner"

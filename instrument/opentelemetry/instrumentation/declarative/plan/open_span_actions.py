"""The actions on spans that are open."""

from __future__ import annotations

from opentelemetry.instrumentation.declarative.expressions import Expression, Template
from opentelemetry.instrumentation.declarative.language.values import SpanOfCall
from opentelemetry.instrumentation.declarative.plan.actions import NamedAction
from opentelemetry.instrumentation.declarative.plan.span_plan import LinkPlan, StatusPlan
from opentelemetry.instrumentation.declarative.records import record


@record(frozen=True, kw_only=True)
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


@record(frozen=True, kw_only=True)
class AddEvent(OpenSpanAction):
    """An event is added to a span. ``once``: only the first time for each span."""

    template: Template
    once: bool = False

    kind = "event"


@record(frozen=True, kw_only=True)
class AddLink(OpenSpanAction):
    """A link is added to a span."""

    link: LinkPlan

    kind = "link"


@record(frozen=True, kw_only=True)
class SetAttributes(OpenSpanAction):
    """Attributes of a span are set, and its name. ``once``: a condition that is decided when a callable is patched."""

    once: Expression | None = None
    template: Template | None = None


@record(frozen=True, kw_only=True)
class SetAttribute(SetAttributes):
    """A single attribute is set on a span."""

    kind = "attribute"


@record(frozen=True, kw_only=True)
class SetAttributeGroup(SetAttributes):
    """The attributes of a group are set on a span."""

    kind = "attribute group"


@record(frozen=True, kw_only=True)
class SetStatus(OpenSpanAction):
    """The status of a span is set to the first that applies."""

    statuses: tuple[StatusPlan, ...]

    kind = "status"

    @property
    def reference(self) -> str:
        return f'a status of the span "{self.span}"' if self.span else f"a status of the {self.of} span"


@record(frozen=True, kw_only=True)
class EmitLog(OpenSpanAction):
    """A log record is emitted in the context of a span."""

    event_name: str
    severity: str | None
    body: Expression | None

    kind = "log record"


@record(frozen=True, kw_only=True)
class CallFunction(OpenSpanAction):
    """A function of the spec is called with a span and these arguments."""

    arguments: tuple[Expression, ...]

    kind = "function"


@record(frozen=True, kw_only=True)
class IncrementCount(OpenSpanAction):
    """A count of a span goes up by one."""

    span: str
    key: Expression

    kind = "count"

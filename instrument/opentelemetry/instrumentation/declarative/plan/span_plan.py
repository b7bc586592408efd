"""What a plan holds of a span type, with its expressions parsed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

from opentelemetry.instrumentation.declarative.diagnostics.problems import Mark
from opentelemetry.instrumentation.declarative.diagnostics.rule_id import RuleId
from opentelemetry.instrumentation.declarative.expressions import Expression, Template
from opentelemetry.instrumentation.declarative.language.content_policy import FULL_CONTENT, ContentPolicy
from opentelemetry.instrumentation.declarative.language.nodes.span import SpanType
from opentelemetry.instrumentation.declarative.language.values import ContextPart
from opentelemetry.instrumentation.declarative.plan.stages import OUTCOME_NAMES, Stage, is_evaluated
from opentelemetry.instrumentation.declarative.records import record


@record(frozen=True)
class AttributePlan:
    """An attribute and the expression for its value.

    ``otherwise`` is recorded if ``when`` is not true. ``once``: a condition that is decided when the callable is
    patched: if it is not true, there is no such attribute.
    """

    key: str
    value: Expression
    when: Expression | None = None
    otherwise: Expression | None = None
    once: Expression | None = None
    #: Whether the value has been changed so that an empty one is None.
    omits_empty: bool = False

    @property
    def is_conditional(self) -> bool:
        return self.when is not None or self.once is not None

    @property
    def expression(self) -> Expression:
        """The expression that is evaluated: the value, if the condition is true."""
        return self.value if self.when is None else self.value.if_true(self.when, self.otherwise)


@record(frozen=True)
class ContextSourcePlan:
    """One candidate for a parent or link: no span, the current span, a span by key, a W3C traceparent, or a carrier.

    ``each``: the key, the traceparent or the carrier is a list, with a link to the span of each item.
    """

    where: Literal["none", "current", "current_or_ended", "span", "traceparent", "carrier"]
    mark: Mark
    span: str | None = None
    key: Expression | None = None
    required: bool = False
    traceparent: Expression | None = None
    tracestate: Expression | None = None
    carrier: Expression | None = None
    each: bool = False


@record(frozen=True)
class LinkPlan:
    """A link of a kind to the first of its sources that exists."""

    kind: str
    sources: tuple[ContextSourcePlan, ...]

    @property
    def is_several(self) -> bool:
        """Whether there can be several of these links on a span."""
        return any(source.each for source in self.sources)


@record(frozen=True)
class StatusPlan:
    """A status rule and its condition."""

    when: Expression | None
    error: Expression | None
    ok: Expression | None
    unset: bool


class ExceptionPolicy(NamedTuple):
    """How exceptions are recorded on a span: how much of their texts, and whether there is an event for each."""

    content: ContentPolicy = FULL_CONTENT
    event: bool = True


#: Exceptions are recorded as events, with their texts.
EXCEPTIONS_IN_FULL = ExceptionPolicy()


@record(frozen=True)
class SpanPlan:
    """The expressions of a span type, parsed. Everything else that it says is read from its node.

    Its start and end are actions of the hooks where they happen.
    """

    type: SpanType
    template: Template
    #: The attributes with fixed values.
    constants: Mapping[str, object]
    parents: tuple[ContextSourcePlan, ...]
    links: tuple[LinkPlan, ...]
    key: Expression | None
    #: Further keys under which it is found once it has ended.
    also: tuple[Expression, ...]
    inject: Mapping[ContextPart, Expression]
    attributes: tuple[AttributePlan, ...]
    start_time: Expression | None
    end_time: Expression | None
    exception: Expression | None
    statuses: tuple[StatusPlan, ...]
    #: Which of ``result`` and ``error`` exist at every start of the span.
    names_at_start: frozenset[str]
    owner: Expression | None = None
    #: The names of its counts, each once.
    counts: tuple[str, ...] = ()
    #: The names of what is collected over the items of the results of the calls at which it ends.
    collected: tuple[str, ...] = ()
    #: How much of the texts of exceptions is recorded.
    exception_content: ContentPolicy = FULL_CONTENT

    @property
    def name(self) -> str:
        return self.type.name

    @property
    def mark(self) -> Mark:
        return self.type.mark

    @property
    def exception_policy(self) -> ExceptionPolicy:
        return ExceptionPolicy(self.exception_content, self.type.exception.event)

    @property
    def end_rule(self) -> RuleId:
        """The end of the span as a rule, if no rule of the spec ends it."""
        return RuleId("span", self.name, self.mark, "end")

    def is_read_at_start(self, names: frozenset[str], parameters: frozenset[str] = frozenset()) -> bool:
        """Whether an expression with these names is evaluated at the start of the span, not at its end.

        ``parameters``: which of ``result`` and ``error`` are parameters of the callable whose call starts it.
        """
        return OUTCOME_NAMES & names <= self.names_at_start | parameters and names.isdisjoint(
            (*self.counts, *self.collected)
        )

    def is_readable_at_end(self, expression: Expression, stage: Stage) -> bool:
        """Whether an expression can be evaluated when the span ends at a stage.

        One that reads a count of the span always can.
        """
        return not expression.names.isdisjoint(self.counts) or is_evaluated(expression, stage)

"""A plan: for each callable the hooks on it, and what happens at each stage of a call."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import field
from typing import NamedTuple

from opentelemetry.instrumentation.declarative.diagnostics.problems import Mark, Problem
from opentelemetry.instrumentation.declarative.diagnostics.rule_id import RuleId, RulePart
from opentelemetry.instrumentation.declarative.expressions import Expression
from opentelemetry.instrumentation.declarative.language.nodes.collection import CollectionKind
from opentelemetry.instrumentation.declarative.language.nodes.hook import Hook
from opentelemetry.instrumentation.declarative.language.nodes.scope import LINK_KIND_KEY
from opentelemetry.instrumentation.declarative.language.nodes.spec import Spec
from opentelemetry.instrumentation.declarative.language.values import Constant, Entries, Instrument, Target
from opentelemetry.instrumentation.declarative.plan.actions import Action
from opentelemetry.instrumentation.declarative.plan.span_actions import SpanStart, TraceCall
from opentelemetry.instrumentation.declarative.plan.span_plan import AttributePlan, SpanPlan
from opentelemetry.instrumentation.declarative.plan.stages import ENDS, STAGES, Stage
from opentelemetry.instrumentation.declarative.records import record


class RuleAtStage(NamedTuple):
    """A rule and a stage at which it acts. ``within_span``: only after its span has started in the same call."""

    rule: RuleId
    stage: Stage
    within_span: bool = False


@record(frozen=True)
class CollectionPlan:
    """A value that is collected over the items of the result of a call."""

    name: str
    mark: Mark
    kind: CollectionKind
    value: Expression

    @property
    def rule(self) -> RuleId:
        return RuleId("collection", self.name, self.mark)


@record
class HookPlan:
    """A hook and the actions at each stage of its calls."""

    hook: Hook
    when: Expression | None
    unpack: tuple[str, ...]
    names: Mapping[str, Expression]
    collections: tuple[CollectionPlan, ...] = ()
    #: The lists for whose items the actions at each stage happen, by the name of an item.
    each: Mapping[str, Expression] = field(default_factory=dict)
    #: Whether calls last until their result has finished. None: if the result is of a kind that is followed by default.
    follow_result: bool | None = None
    actions: dict[Stage, list[Action]] = field(default_factory=lambda: {stage: [] for stage in STAGES})

    @property
    def rule(self) -> RuleId:
        return self.rule_for()

    @property
    def defined_names(self) -> frozenset[str]:
        """The names that the hook defines at each of its moments."""
        return frozenset({*self.unpack, *self.names, *self.each})

    @property
    def is_on_several(self) -> bool:
        """Whether a name need not exist on each callable of a hook: of a pattern, of several methods, or callbacks."""
        hook = self.hook
        return hook.calls is not None or len(hook.methods) > 1 or bool(hook.values and not hook.methods)

    def rule_for(self, part: RulePart | None = None) -> RuleId:
        """The hook, or a part of it, as a rule."""
        return RuleId("hook", self.hook.name, self.hook.mark, part)

    @property
    def calls_traced(self) -> list[TraceCall]:
        """The spans around the calls of the hook, the outermost first."""
        return [action for action in self.actions["enter"] if isinstance(action, TraceCall)]

    @property
    def current_spans(self) -> list[str]:
        """The types of those that are the current span during the call."""
        return [action.span.name for action in self.calls_traced if action.span.type.current]

    def rules(self) -> Iterator[RuleAtStage]:
        """Every rule on this hook, once for each stage at which it acts. The hook itself is the first."""
        yield RuleAtStage(self.rule, "enter")
        for collection in self.collections:
            yield RuleAtStage(collection.rule, "item")
        for stage, actions in self.actions.items():
            for action in actions:
                yield RuleAtStage(action.rule, stage)
                if isinstance(action, SpanStart):
                    for injection in action.injections:
                        yield RuleAtStage(injection, stage, within_span=True)
                if isinstance(action, TraceCall):
                    for end in ENDS:
                        yield RuleAtStage(action.end_rule, end, within_span=True)


class ValueOfCall(NamedTuple):
    """The result or a parameter of the calls of a hook."""

    hook: str
    name: str

    def __str__(self) -> str:
        return f"{self.hook}.{self.name}"


@record
class CallPlan:
    """A callable, a method of an extension, or a value of other calls, and the hooks on it.

    ``method`` is the method of the object that ``value`` stands for; None if the value itself is called.
    """

    target: Target
    extension: str | None = None
    hooks: list[HookPlan] = field(default_factory=list)
    value: ValueOfCall | None = None
    method: str | None = None


class Receiver(NamedTuple):
    """The class of the objects on which an inherited method is called. ``is_class``: it is a class method.

    ``includes`` says of a subclass of the owner whether the hooks apply to its objects; by default they do to all.
    """

    owner: type
    is_class: bool
    includes: Callable[[type], bool] | None = None


@record(frozen=True)
class SinkPlan:
    """A class that receives the ended spans of an owner, and the options with which it is created."""

    owner: str
    mark: Mark
    target: Target
    options: Entries[Constant]

    @property
    def rule(self) -> RuleId:
        return RuleId("sink", self.owner, self.mark)


@record(frozen=True)
class OwnerPlan:
    """An owner and its span types."""

    name: str
    spans: tuple[str, ...]
    sink: SinkPlan | None


@record(frozen=True)
class MetricPlan:
    """A metric instrument. With ``spans`` it counts or measures the spans of these types."""

    name: str
    mark: Mark
    instrument: Instrument
    unit: str
    description: str
    boundaries: tuple[float, ...]
    spans: tuple[str, ...]
    span_attributes: tuple[str, ...]
    #: The attributes that a metric of spans has besides those of the spans.
    own_attributes: tuple[AttributePlan, ...] = ()


class ScopePlan(NamedTuple):
    """The instrumentation scope of what a spec records."""

    name: str
    version: str | None = None
    schema_url: str | None = None
    #: The key of the attribute that records the kind of a link.
    link_kind: str = LINK_KIND_KEY


@record(frozen=True)
class ExtensionPlan:
    """An extension and the class that it subclasses."""

    name: str
    base: Target
    mark: Mark


@record
class Plan:
    """Everything a spec asks for. If ``problems`` is not empty, the plan is not installed.

    ``presumed`` are problems that are none if the callable has a parameter of the name: its wrapper knows.
    """

    spec: Spec
    scope: ScopePlan
    spans: dict[str, SpanPlan]
    extensions: dict[str, ExtensionPlan]
    calls: list[CallPlan]
    problems: list[Problem]
    presumed: list[Problem] = field(default_factory=list)
    #: Problems because of which only an entry is left out.
    local_problems: list[Problem] = field(default_factory=list)
    owners: tuple[OwnerPlan, ...] = ()
    #: The names of the context values.
    context_values: tuple[str, ...] = ()
    metrics: tuple[MetricPlan, ...] = ()
    #: The hooks with patterns. Their callables are known only once the modules are imported.
    patterns: tuple[HookPlan, ...] = ()
    #: Callables that are values of other calls. They are known only once those calls happen.
    values: tuple[CallPlan, ...] = ()
    #: Whether the spec has content that is not recorded in full.
    withholds_content: bool = False
    #: Those of the names of the spec that no expression reads.
    unused_names: frozenset[str] = frozenset()

    @property
    def reads_local_root(self) -> bool:
        """Whether a rule is on the local root of a trace."""
        root = self.spec.enrich.root
        is_enriched = any((root.attributes, root.attribute_groups, root.events, root.statuses))
        return is_enriched or any(log.of == "root" for log in self.spec.logs)

    @property
    def sinks(self) -> tuple[SinkPlan, ...]:
        """The sinks of all owners."""
        return tuple(owner.sink for owner in self.owners if owner.sink is not None)

    @property
    def emits_logs(self) -> bool:
        """Whether a rule emits log records."""
        return bool(self.spec.logs)

    @property
    def hook_groups(self) -> list[list[HookPlan]]:
        """The hooks by callable: those in one group share a wrapper. A hook with patterns is a group on its own."""
        on_calls = (call.hooks for call in (*self.calls, *self.values))
        return [*on_calls, *([hook] for hook in self.patterns)]

    @property
    def hooks(self) -> Iterator[HookPlan]:
        """Every hook that a rule uses."""
        for group in self.hook_groups:
            yield from group

    @property
    def modules(self) -> tuple[str, ...]:
        """The modules whose import has to be waited for; those of patterns are not included."""
        return tuple(dict.fromkeys(call.target.module for call in self.calls))

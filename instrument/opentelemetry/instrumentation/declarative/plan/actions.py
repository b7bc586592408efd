"""The base class of all actions, which happen at the stages of a hooked call."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

from opentelemetry.instrumentation.declarative.diagnostics.problems import Mark
from opentelemetry.instrumentation.declarative.diagnostics.rule_id import RuleId, RuleKind, RulePart
from opentelemetry.instrumentation.declarative.expressions import Expression
from opentelemetry.instrumentation.declarative.plan.span_plan import AttributePlan
from opentelemetry.instrumentation.declarative.records import record


@record(frozen=True, kw_only=True)
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


@record(frozen=True, kw_only=True)
class NamedAction(Action):
    """An action from an entry that has its name in the spec."""

    name: str

    @property
    def subject(self) -> str:
        return self.name

"""The context in which the code of one wrapper is generated: its callable, names, rules and problems."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import field
from os.path import basename
from typing import TYPE_CHECKING, Any

from opentelemetry.instrumentation.declarative.diagnostics.problems import Mark, Problem
from opentelemetry.instrumentation.declarative.diagnostics.rule_id import RuleId
from opentelemetry.instrumentation.declarative.expressions import Expression, Template
from opentelemetry.instrumentation.declarative.plan.actions import Action
from opentelemetry.instrumentation.declarative.plan.span_plan import AttributePlan
from opentelemetry.instrumentation.declarative.plan.stages import ITEM_NAMES
from opentelemetry.instrumentation.declarative.records import record
from opentelemetry.instrumentation.declarative.runtime.context.current import current_span
from opentelemetry.instrumentation.declarative.runtime.guard import Rule
from opentelemetry.instrumentation.declarative.runtime.spec_runtime import SpecRuntime
from opentelemetry.instrumentation.declarative.wrappers.ambiguous_names import ambiguous_name
from opentelemetry.instrumentation.declarative.wrappers.code_lines import Lines, indented
from opentelemetry.instrumentation.declarative.wrappers.expression_group import ExpressionGroup
from opentelemetry.instrumentation.declarative.wrappers.expression_scope import ExpressionScope
from opentelemetry.instrumentation.declarative.wrappers.names import NameAllocator
from opentelemetry.instrumentation.declarative.wrappers.own_reading_code import as_own_reading
from opentelemetry.instrumentation.declarative.wrappers.unknown_names import first_of_texts, unknown_name

if TYPE_CHECKING:
    from opentelemetry.instrumentation.declarative.runtime.counters import Counter
    from opentelemetry.instrumentation.declarative.runtime.rule_stats import RuleStats


@record
class Emitter:
    """Generates the code of one wrapper, and collects the problems with its callable."""

    #: The callable with its parameters, for messages.
    callable_title: str
    names: NameAllocator
    #: The local for each parameter of the callable.
    parameters: dict[str, str]
    runtime: SpecRuntime
    #: Whether the original is called with the locals of the parameters, so that setting a parameter has an effect.
    can_set_parameters: bool
    is_generator: bool
    #: Whether the code can await: the callable is a coroutine function.
    can_await: bool = False
    #: Whether what happens at the end of the call may happen later, when a result that is followed has finished.
    follows_results: bool = False
    #: Whether a rule that cannot be used is generated all the same, to find its other problems. The code is not run.
    reports_all: bool = False
    #: The local for the span that is current before the call. None if no rule is on it.
    outer_span: str | None = None
    #: The hooks of the action whose code is being generated.
    action_hooks: frozenset[str] = frozenset()
    #: The name of the hook whose code is being generated.
    hook: str = ""
    problems: list[Problem] = field(default_factory=list)
    #: Names that this callable lacks, used by a hook on several callables. Not problems.
    left_out: list[Problem] = field(default_factory=list)
    #: The locals that expressions read.
    read: set[str] = field(default_factory=set)
    #: The locals that are assigned at the end of the call, before they are read.
    read_at_end: set[str] = field(default_factory=set)
    #: The local for each span around the call.
    call_spans: dict[str, str] = field(default_factory=dict)
    #: The local for the token of each context value that the call sets.
    context_tokens: dict[str, str] = field(default_factory=dict)
    #: The locals of OpenTelemetry contexts that are current during the call, by the title of their rule.
    contexts: dict[str, str] = field(default_factory=dict)
    #: The locals of context values, by their name.
    carried: dict[str, str] = field(default_factory=dict)
    #: The rules whose lines are being generated: one, and those within its lines.
    rules: list[Rule] = field(default_factory=list)
    all_rules: list[Rule] = field(default_factory=list)

    def guarded(self, id: RuleId, emit: Callable[[Rule], Lines], *, always: bool = False, part: bool = False) -> Lines:
        """Lines whose exceptions do not affect the program, with a comment that names their rule.

        ``always``: the rule is never disabled, because it ends something. ``part``: it is not counted on its own,
        but as a part of the rule around it.
        """
        rule = self.runtime.rule(id)
        if part and self.rules:
            rule.stats = self.rules[-1].stats
        problems_before = len(self.problems)
        self.rules.append(rule)
        self.all_rules.append(rule)
        with self.names.block():
            lines = emit(rule)
            failure = self.names.temporary("failure")
        if rule.stats is not None:
            rule.stats.problems += self.problems[problems_before:]
            rule.stats.is_generated = rule.stats.is_generated or bool(lines)
            if lines and not part:
                lines = [*self._counting("reached", rule.stats.reached), *lines]
        self.rules.pop()
        if not lines:
            return []
        name = self.names.constant("rule", rule)
        comment = f"  # {basename(id.mark.file)}:{id.mark.line}  {id.title}"
        guarded = [
            f"try:{comment if always else ''}",
            *indented(lines),
            f"except {self.names.builtin('Exception')} as {failure}:",
            f"    {name}.failed({failure})",
        ]
        if not part and not self.rules:  # the lines of an outer rule are our own reading already
            guarded = as_own_reading(self.names, guarded)
        return guarded if always else [f"if {name}.on:{comment}", *indented(guarded)]

    def can_read(
        self, scope: ExpressionScope, subject: str, expressions: Iterable[Expression | Template | None]
    ) -> bool:
        """Whether every name in these expressions exists. If not, that is reported, and ``subject`` is left out.

        If the hook is on several callables, a name that this one lacks is None, unless it lacks all names.
        """
        expressions = [*expressions]
        problems = [
            self._unknown_name(name, mark, f"{subject} is left out", scope, expressions)
            for name, mark in first_of_texts(scope.missing(*expressions), expressions)
        ]
        problems += self.too_early(scope, *expressions)
        self._report(problems, scope)
        if scope.one_of_many:
            return all(
                not each.names or any(map(scope.has_value, each.names))
                for each in expressions
                if isinstance(each, Expression)
            )
        return self.reports_all or not problems

    def is_due(self, scope: ExpressionScope, expression: Expression) -> bool:
        """Whether an expression is evaluated at the stage of a scope. It is reported if that is at no stage."""
        is_due = scope.is_readable(expression)
        if not is_due:
            self._report(self.too_early(scope, expression), scope)
        return is_due

    def can_read_at(self, scope: ExpressionScope, subject: str, expression: Expression, hooks: Collection[str]) -> bool:
        """Whether an expression that is evaluated at several hooks can be at this one: it has one of its names here.

        A name that exists at none of the hooks is reported.
        """
        uses = self.runtime.name_uses
        missing = dict(scope.missing(expression))
        for name, mark in expression.name_marks.items():
            if name not in missing or uses.may_be_known_elsewhere(self.hook, hooks):
                uses.found(mark, name)
                continue
            problem = self._unknown_name(name, mark, f"{subject} is left out", scope, [expression])
            if scope.one_of_many:
                self._report([problem], scope)
            elif (unknown := uses.missing(problem, self.hook, hooks)) is not None:
                self._report([unknown], scope)
        self._report(self.too_early(scope, expression), scope)
        return not expression.names or any(map(scope.has_value, expression.names))

    def too_early(self, scope: ExpressionScope, *expressions: Expression | Template | None) -> list[Problem]:
        """The problems of names that are read before the call has an outcome, unless a parameter has the name."""
        uses = self.runtime.name_uses
        problems = []
        for name, mark in scope.marks(*expressions):
            if name in scope.outcome_parameters:
                self._note_ambiguity(name, mark, scope)
            elif name in scope.absent and mark in uses.presumed:
                problems.append(uses.presumed[mark])
        return problems

    def _note_ambiguity(self, name: str, mark: Mark, scope: ExpressionScope) -> None:
        uses = self.runtime.name_uses
        if mark in uses.presumed:
            uses.parameters.add(mark)
            return
        uses.notes.setdefault(mark, ambiguous_name(name, mark, self.callable_title, bool(scope.parameters_read)))

    def _unknown_name(
        self,
        name: str,
        mark: Mark,
        effect: str,
        scope: ExpressionScope,
        expressions: Iterable[Expression | Template | None],
    ) -> Problem:
        existing = [known for known in (*scope.locals, *scope.context_values) if known not in scope.absent | ITEM_NAMES]
        return unknown_name(name, mark, self.callable_title, effect, expressions, existing)

    def _report(self, problems: Iterable[Problem], scope: ExpressionScope) -> None:
        reported = self.left_out if scope.one_of_many else self.problems
        # At other stages of the call, the help for the same name may differ.
        known = {(problem.mark, problem.message) for problem in reported}
        reported += [problem for problem in problems if (problem.mark, problem.message) not in known]

    def leaves_out_of_generator(self, action: Action, limit: str, help: str) -> bool:
        """Whether the callable is a generator, through which an action does not carry. It is reported."""
        if self.is_generator:
            message = f"{self.callable_title} is a generator, and {limit}: {action.reference} is left out"
            self.problems.append(Problem(action.mark, "not-carried", message, help))
        return self.is_generator

    def readable(self, scope: ExpressionScope, attributes: Iterable[AttributePlan]) -> list[AttributePlan]:
        """The attributes whose names exist. Those that exist at no moment of the action are reported."""
        subject = "the attribute {}".format
        if len(self.action_hooks) > 1:
            return [
                each
                for each in attributes
                if self.can_read_at(scope, subject(each.key), each.expression, self.action_hooks)
                and self.applies(each.once)
            ]
        return [
            each
            for each in attributes
            if self.can_read(scope, subject(each.key), [each.expression]) and self.applies(each.once)
        ]

    def applies(self, condition: Expression | None) -> bool:
        """Whether a condition that is decided once is true. One that fails is reported, and not true."""
        if condition is None:
            return True
        try:
            return self.runtime.decide(condition)
        except Exception as failure:
            self.rules[-1].failed(failure)
            return False

    def named(
        self, names: Mapping[str, Expression], scope: ExpressionScope, rule: Rule, *, keep: bool = False
    ) -> tuple[Lines, ExpressionScope]:
        """Lines that evaluate the names that a spec defines, and the scope that includes them."""
        lines: Lines = []
        for name, expression in names.items():
            if self.can_read(scope, f"the name {name}", [expression]):
                group = ExpressionGroup(scope, rule)
                scope = scope.with_locals(**{name: group.value(name, expression, keep=keep)})
                lines += group.lines()
        return lines, scope

    def spans(self, name: str) -> str:
        """The source for the spans of a type."""
        return self.names.constant(f"{name}_spans", self.runtime.spans[name])

    def span_before_call(self) -> str:
        """The source for the span that was current before the call."""
        self.outer_span = self.outer_span or self.names.local("outer_span")
        return self.outer_span

    def before_call(self) -> Lines:
        """The line that reads which span is current before the call, if a rule is on it."""
        if self.outer_span is None:
            return []
        return [f"{self.outer_span} = {self.names.constant('current_span', current_span)}()"]

    def extension(self, name: str) -> str:
        """The source for the class of an extension."""
        return self.names.constant(f"{name}_extension", self.runtime.extension(name))

    # ── Counting for a report. If none is requested, all of this adds nothing to the source ──
    @property
    def stats(self) -> RuleStats | None:
        """The counters of the rule whose lines are being generated."""
        return self.rules[-1].stats if self.rules else None

    def counting_spans(self, name: str) -> str:
        """The source for the spans of a type, with what the rule does to them counted."""
        if self.stats is None:
            return self.spans(name)
        return self.names.constant(f"{name}_spans", self.stats.counting_spans(self.runtime.spans[name]))

    def counting(self, name: str, function: Callable[..., Any], reason: str | None = None) -> str:
        """The source for the function that has the effect of the rule. It returns False for no effect."""
        return self.names.constant(name, function if self.stats is None else self.stats.counting(function, reason))

    def noted(self, kind: str, name: str, mark: Mark, source: str) -> str:
        """The source of a value, with counting how often it is missing."""
        if self.stats is None or not source:
            return source
        return f"{self.names.constant('noted', self.stats.read(kind, name, mark).note)}({source})"

    def count_matched(self) -> Lines:
        """A line that counts that the condition of the rule is true."""
        return [] if self.stats is None else self._counting("matched", self.stats.count_condition())

    def count_emitted(self) -> Lines:
        """A line that counts that the rule has had its effect."""
        return [] if self.stats is None else self._counting("emitted", self.stats.emitted)

    def count_written(self) -> Lines:
        """A line that counts that a field was set. For its rule, that is the effect, and not running to the end."""
        if self.stats is not None:
            self.stats.counts_effects = True
        return self.count_emitted()

    def count_not_emitted(self, reason: str) -> Lines:
        """A line that counts that the rule has had no effect."""
        return [] if self.stats is None else self._counting("not_emitted", self.stats.not_emitted_for(reason))

    def _counting(self, name: str, counter: Counter) -> Lines:
        return [f"{self.names.constant(name, counter.add)}()"]

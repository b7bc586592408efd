"""Where code is written: a callable with its names, the guard around each rule, and what is found wrong on the way."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from os.path import basename
from typing import TYPE_CHECKING, Any

from opentelemetry.instrumentation.declarative.diagnostics.problems import Mark, Problem, closest
from opentelemetry.instrumentation.declarative.expressions import Expression, Template
from opentelemetry.instrumentation.declarative.plan.model import DYNAMIC, Reading
from opentelemetry.instrumentation.declarative.runtime.guard import Rule
from opentelemetry.instrumentation.declarative.runtime.spec_runtime import Runtime
from opentelemetry.instrumentation.declarative.wrappers.code import Group, Lines, Names, Scope, indented

if TYPE_CHECKING:
    from opentelemetry.instrumentation.declarative.runtime.rule_stats import Counter, RuleTally


@dataclass(slots=True)
class Site:
    """Where lines are written for: a callable, its names, and what is found wrong on the way."""

    title: str
    names: Names
    #: A parameter of the callable -> the local that holds it.
    parameters: dict[str, str]
    runtime: Runtime
    #: Whether the call is given the locals of its parameters, so that a parameter can be set.
    direct: bool
    stepwise: bool
    #: Whether the code may wait: the callable is a coroutine.
    awaits: bool = False
    problems: list[Problem] = field(default_factory=list)
    #: What this one of several callables has no names for.
    left_out: list[Problem] = field(default_factory=list)
    #: A span around this call -> the local that holds it.
    entered: dict[str, str] = field(default_factory=dict)
    #: A value carried during this call -> the local that holds the token to put it down with.
    carrying: dict[str, str] = field(default_factory=dict)
    #: The rules whose lines are being written: one, and those that stand in its lines.
    writing: list[Rule] = field(default_factory=list)

    def guarded(
        self, what: str, mark: Mark, write: Callable[[Rule], Lines], *, always: bool = False, part: bool = False
    ) -> Lines:
        """Lines that can fail without the host's noticing, under a comment that names their rule of the spec.

        ``always``: what ends something is never switched off. ``part``: they are not counted as a rule of their own,
        but with the one in whose lines they stand.
        """
        rule = self.runtime.rule(what, mark)
        if part and self.writing:
            rule.tally = self.writing[-1].tally
        told = len(self.problems)
        self.writing.append(rule)
        with self.names.block():
            lines = write(rule)
            mistake = self.names.temporary("mistake")
        if rule.tally is not None:
            rule.tally.problems += self.problems[told:]
            rule.tally.written = rule.tally.written or bool(lines)
            lines = [*self.counted("came", rule.tally.came), *lines] if lines and not part else lines
        self.writing.pop()
        if not lines:
            return []
        name = self.names.cell("rule", rule)
        comment = f"  # {basename(mark.file)}:{mark.line}  {what}"
        guarded = [
            f"try:{comment if always else ''}",
            *indented(lines),
            f"except {self.names.builtin('Exception')} as {mistake}:",
            f"    {name}.failed({mistake})",
        ]
        return guarded if always else [f"if {name}.on:{comment}", *indented(guarded)]

    def can_read(self, scope: Scope, what: str, expressions: Iterable[Expression | Template | None]) -> bool:
        """Whether every name is there; if not, that is a problem and what needs the name is left out."""
        missing = scope.missing(*expressions)
        for name, mark in missing:
            there = [*scope.locals, *scope.carried]
            near = closest(name, [known for known in there if known not in DYNAMIC])
            mend = f'did you mean "{near}"?' if near else f"there are: {', '.join(there) or 'none'}"
            problem = Problem(
                mark, "unknown-name", f'"{name}" is not a parameter of {self.title}: {what} is left out', mend
            )
            told = self.left_out if scope.one_of_many else self.problems
            if problem not in told:
                told.append(problem)
        return not missing

    def named(
        self, names: Mapping[str, Expression], scope: Scope, rule: Rule, *, keep: bool = False
    ) -> tuple[Lines, Scope]:
        """Lines that read values under names that a spec gives, and the scope that has them."""
        lines: Lines = []
        for name, expression in names.items():
            if self.can_read(scope, f"the name {name}", [expression]):
                group = Group(scope, rule)
                scope = scope.with_locals(**{name: group.value(name, expression, keep=keep)})
                lines += group.lines()
        return lines, scope

    def spans(self, name: str) -> str:
        return self.names.cell(f"{name}_spans", self.runtime.spans[name])

    # ── For a report: where none is asked for, these add nothing to the source ──

    @property
    def tally(self) -> RuleTally | None:
        """Where what comes of the rule whose lines are being written is counted."""
        return self.writing[-1].tally if self.writing else None

    def acting(self, name: str) -> str:
        """The spans of a type, for what the rule does to them."""
        if self.tally is None:
            return self.spans(name)
        return self.names.cell(f"{name}_spans", self.tally.acting(self.runtime.spans[name]))

    def act(self, name: str, act: Callable[..., Any], why: str | None = None) -> str:
        """A function by which the rule does what it is for; it gives False where it has done nothing, for ``why``."""
        return self.names.cell(name, act if self.tally is None else self.tally.act(act, why))

    def noted(self, kind: str, name: str, mark: Mark, words: str) -> str:
        """The words for a value of which it is counted how often it is there."""
        if self.tally is None or not words:
            return words
        return f"{self.names.cell('noted', self.tally.reads(kind, name, mark).note)}({words})"

    def counted(self, word: str, counter: Counter) -> Lines:
        """A line that counts."""
        return [f"{self.names.cell(word, counter.add)}()"]

    def matched(self) -> Lines:
        """A line that counts that the rule's condition is true."""
        return [] if self.tally is None else self.counted("matched", self.tally.true())

    def emitted(self) -> Lines:
        """A line that counts that the rule has done what it is for."""
        return [] if self.tally is None else self.counted("emitted", self.tally.emitted)

    def written(self) -> Lines:
        """A line that counts that something is written: that is what the rule is for, and not to come to its end."""
        if self.tally is not None:
            self.tally.acts = True
        return self.emitted()

    def missed(self, why: str) -> Lines:
        """A line that counts that it has not."""
        return [] if self.tally is None else self.counted("missed", self.tally.missing(why))

    def readable(self, scope: Scope, readings: Iterable[Reading]) -> list[Reading]:
        """The attributes whose names are there."""
        return [each for each in readings if self.can_read(scope, f"the attribute {each.key}", [each.expression])]


def when(condition: Expression, scope: Scope, rule: Rule, lines: Lines) -> Lines:
    """Lines under a condition."""
    if condition.total:
        return [f"if {condition.fast(scope.rename)}:", *indented(lines)]
    group = Group(scope, rule)
    local = group.value("when", condition)
    return [*group.lines(), f"if {local}:", *indented(lines)]

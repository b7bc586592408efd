"""Where code is written: a callable with its names, the guard around each rule, and what is found wrong on the way."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from os.path import basename

from instrument.expressions import Expression, Template
from instrument.plan.model import DYNAMIC, Reading
from instrument.problems import Mark, Problem, closest
from instrument.runtime.guard import Rule
from instrument.wrappers.code import Group, Lines, Names, Scope, indented
from instrument.wrappers.runtime_for import Runtime


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

    def guarded(self, what: str, mark: Mark, write: Callable[[Rule], Lines], *, always: bool = False) -> Lines:
        """Lines that can fail without the host's noticing, under a comment that names their rule of the spec.

        ``always``: what ends something is never switched off.
        """
        rule = Rule(what, mark)
        with self.names.block():
            lines = write(rule)
            mistake = self.names.temporary("mistake")
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

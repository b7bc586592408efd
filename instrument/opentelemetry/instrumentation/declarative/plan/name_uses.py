"""Where the names in the expressions of a plan exist. Only the wrappers know, which read the signatures."""

from __future__ import annotations

from collections.abc import Collection

from opentelemetry.instrumentation.declarative.diagnostics.problems import Mark, Problem
from opentelemetry.instrumentation.declarative.plan.actions import Action
from opentelemetry.instrumentation.declarative.plan.model import Plan
from opentelemetry.instrumentation.declarative.plan.span_actions import EndSpan, StartSpan


class NameUses:
    """The names that the wrappers of one plan have found and not found, by where they are written.

    A name is part of each key, because the mark of a text on several lines is that of all names in it.

    A name in an attribute of a span between moments need only exist at one of its starts and ends, a name in its status
    only at one of its ends, and a name in an attribute of an event or a metric at one of its moments. It is a problem
    if it exists at none of them.
    """

    def __init__(self, plan: Plan) -> None:
        self.presumed = {problem.mark: problem for problem in plan.presumed}
        #: The presumed problems that are none, because a callable has a parameter of the name.
        self.parameters: set[Mark] = set()
        #: Remarks for ``instrument check``.
        self.notes: dict[Mark, Problem] = {}
        self._found: set[tuple[Mark, str | None]] = set()
        self._missing: dict[tuple[Mark, str | None], tuple[Problem, set[str]]] = {}
        #: The hooks of each action, by its id: the plan keeps it alive.
        self._hooks: dict[int, set[str]] = {}
        #: The hooks on values, whose names are only known when the program runs.
        self._on_values = {hook.hook.name for call in plan.values for hook in call.hooks}
        self._starts: dict[str, set[str]] = {}
        self._ends: dict[str, set[str]] = {}
        #: The names that every start of a span defines.
        self._defined: dict[str, frozenset[str]] = {}
        for hook in plan.hooks:
            for actions in hook.actions.values():
                for action in actions:
                    self._hooks.setdefault(id(action), set()).add(hook.hook.name)
                    if isinstance(action, (StartSpan, EndSpan)):
                        hooks = self._starts if isinstance(action, StartSpan) else self._ends
                        hooks.setdefault(action.span.name, set()).add(hook.hook.name)
                    if isinstance(action, StartSpan):
                        defined = hook.defined_names | action.names.keys()
                        known = self._defined.get(action.span.name, defined)
                        self._defined[action.span.name] = known & defined

    def may_be_known_elsewhere(self, hook: str, hooks: Collection[str]) -> bool:
        """Whether one of several hooks, other than this one, is on a value, where every name may exist."""
        return not self._on_values.isdisjoint(hooks) and not self._on_values.intersection(hooks) <= {hook}

    def hooks_of_action(self, action: Action) -> frozenset[str]:
        """The hooks at whose moments the same action happens."""
        return frozenset(self._hooks.get(id(action), ()))

    def hooks_of(self, span: str, *, only_ends: bool) -> frozenset[str]:
        """The hooks at which a span between moments ends, and those at which it starts."""
        return frozenset({*self._ends.get(span, ()), *(() if only_ends else self._starts.get(span, ()))})

    def may_be_unread(self, span: str, names: frozenset[str]) -> bool:
        """Whether a start of a span may lack names of an attribute."""
        return not names <= self._defined.get(span, frozenset())

    def found(self, mark: Mark, name: str) -> None:
        """Note that a name exists at one of its hooks."""
        self._found.add((mark, name))

    def is_found(self, problem: Problem) -> bool:
        """Whether the name that a problem is about exists at one of its hooks."""
        return (problem.mark, problem.subject) in self._found

    def lacks(self, mark: Mark, name: str, hook: str) -> bool:
        """Whether a name has been read at a hook, on whose callable it does not exist."""
        return hook in self._missing.get((mark, name), (None, ()))[1]

    def missing(self, problem: Problem, hook: str, hooks: Collection[str]) -> Problem | None:
        """Note that a name does not exist at a hook. Returns the problem if it exists at none of its hooks."""
        key = problem.mark, problem.subject
        known, lacking = self._missing.setdefault(key, (problem, set()))
        if problem.suggestion and not known.suggestion:
            self._missing[key] = (problem, lacking)
            known = problem
        lacking.add(hook)
        return known if not self.is_found(problem) and lacking.issuperset(hooks) else None

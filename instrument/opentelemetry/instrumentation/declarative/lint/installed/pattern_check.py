"""What the hooks on several callables meet, here and now: how many, and whether what they name is there on any."""

from __future__ import annotations

from collections.abc import Callable

from opentelemetry.instrumentation.declarative.diagnostics.problems import Mark, Problem
from opentelemetry.instrumentation.declarative.patching.matching import Matcher, candidate_modules
from opentelemetry.instrumentation.declarative.plan.model import CallPlan, Plan

#: How many of those that are met are named in one message.
_MOST_NAMED = 3


class Met:
    """The hooks of one plan that are on several callables. ``tell`` is given what is found."""

    def __init__(self, plan: Plan, tell: Callable[[Problem], None]) -> None:
        self._plan = plan
        self._hooks = [hook for hook in plan.patterns if hook.hook.calls is not None]
        self._matcher = Matcher(plan, tell)
        self._say = tell
        self._calls: list[CallPlan] = []
        #: Where a name stands that is missing, the problem, and on which callables.
        self._missing: dict[Mark, tuple[Problem, set[int]]] = {}

    def calls(self, load: Callable[[str, Mark], bool]) -> list[CallPlan]:
        """The callables that are met. Imports every module in which there could be one, with ``load``."""
        for name, mark in candidate_modules(self._plan).items():
            if load(name, mark):
                self._calls += self._matcher.plans_in(name, [])
        return self._calls

    def left_out(self, call: CallPlan, problems: tuple[Problem, ...]) -> None:
        """What one of the callables has no names for."""
        for problem in problems:
            told, lacking = self._missing.get(problem.mark, (problem, set[int]()))
            self._missing[problem.mark] = (problem if _meant(problem) else told, {*lacking, id(call)})

    def tell(self) -> None:
        """How many each hook meets; that it meets none; and which names none of them has."""
        for hook in self._hooks:
            assert hook.hook.calls is not None
            of_it = [call for call in self._calls if hook in call.hooks]
            mark, what = hook.hook.calls.include[0].mark, f"the hook {hook.hook.name.removeprefix('around ')}"
            if not of_it:
                mend = "mend the patterns, or look at what the filters let pass"
                self._say(Problem(mark, "meets-nothing", f"{what} meets nothing that is installed here", mend))
                continue
            self._say(Problem(mark, "meets", f"{what} meets {_counted(of_it)}", None, "note"))
            everywhere = {id(call) for call in of_it}
            for problem, lacking in self._missing.values():
                if lacking == everywhere:
                    name = problem.message.split('"')[1]
                    message = f'"{name}" is a parameter of none of those that {what} meets'
                    mend = _meant(problem) or "mend the name, or take it out"
                    self._say(Problem(problem.mark, "unknown-name", message, mend))


def _meant(problem: Problem) -> str | None:
    """The mend of a problem where it knows what was meant."""
    return problem.help if problem.help and problem.help.startswith("did you mean") else None


def _counted(calls: list[CallPlan]) -> str:
    names = [str(call.target) for call in calls]
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    modules = len({call.target.module for call in calls})
    place = f" in {modules} modules" if modules > 1 else ""
    return f"{len(names)} callable{'' if len(names) == 1 else 's'}{place}: {', '.join(names[:_MOST_NAMED])}{more}"

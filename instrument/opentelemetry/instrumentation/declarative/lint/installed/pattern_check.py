"""Checks hooks on several callables against the installed libraries: what they match, and which names no match has."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace

from opentelemetry.instrumentation.declarative.diagnostics.problems import Mark, Problem, closest, counted, did_you_mean
from opentelemetry.instrumentation.declarative.inspection.installed_callables import is_immutable
from opentelemetry.instrumentation.declarative.language.nodes.callables import Callables
from opentelemetry.instrumentation.declarative.language.values import Target
from opentelemetry.instrumentation.declarative.patching.imports.import_hooks import loaded_modules
from opentelemetry.instrumentation.declarative.patching.imports.script_names import MAIN
from opentelemetry.instrumentation.declarative.patching.imports.target_loading import PatchError
from opentelemetry.instrumentation.declarative.patching.lookup.filters import texts_of
from opentelemetry.instrumentation.declarative.patching.lookup.matching import (
    Matcher,
    candidate_modules,
    matching_targets,
    module_filter,
)
from opentelemetry.instrumentation.declarative.patching.lookup.subclass_methods import base_classes, calls_of_subclasses
from opentelemetry.instrumentation.declarative.plan.model import CallPlan, HookPlan, Plan
from opentelemetry.instrumentation.declarative.plan.name_uses import NameUses

#: How many matching callables a message names.
_MOST_NAMED = 3
#: How many decorators or annotations a help lists.
_MOST_LISTED = 12


class PatternCheck:
    """Checks the hooks of one plan that match several callables."""

    def __init__(self, plan: Plan, report: Callable[[Problem], None], uses: NameUses) -> None:
        self._uses = uses
        self._plan = plan
        self._hooks = [hook for hook in plan.patterns if hook.hook.calls is not None]
        self._matcher = Matcher(plan, report)
        self._report = report
        self._matches: list[CallPlan] = []
        #: By the id of a hook on the method of subclasses: the class.
        self._bases: dict[int, list[type]] = {}
        #: By where a name is used, and the name: the problem that a callable lacks it, and the callables that do.
        self._missing_names: dict[tuple[Mark, str | None], tuple[Problem, set[int]]] = {}

    def matches(self, load: Callable[[str, Mark], bool]) -> list[CallPlan]:
        """Return the matching callables. Imports each module that may contain one with ``load``."""
        for name, mark in candidate_modules(self._plan).items():
            if load(name, mark):
                self._matches += self._matcher.plans_in(name, [])
        for hook in self._hooks:
            if hook.hook.calls is not None and hook.hook.calls.method is not None:
                try:
                    self._bases[id(hook)] = base_classes(hook.hook.calls)
                except PatchError as error:
                    self._report(error.problem)
        self._matches += calls_of_subclasses(self._plan)
        return self._matches

    def add_missing_names(self, call: CallPlan, problems: tuple[Problem, ...]) -> None:
        """Record the names that one of the matching callables lacks."""
        for problem in problems:
            key = problem.mark, problem.subject
            known, lacking = self._missing_names.get(key, (problem, set[int]()))
            self._missing_names[key] = (problem if problem.suggestion else known, {*lacking, id(call)})

    def finish(self) -> None:
        """Report how many callables each hook matches, that it matches none, and names that no match has."""
        found = [(hook, [call for call in self._matches if hook in call.hooks]) for hook in self._hooks]
        for hook, matches in found:
            if matches or not _is_in_script(hook):
                self._report_matches(hook, matches)
            if matches:
                others = [(other, set(map(id, calls))) for other, calls in found if other is not hook]
                self._report_names_without_match(hook, {id(call) for call in matches}, others)

    def _report_matches(self, hook: HookPlan, matches: list[CallPlan]) -> None:
        assert hook.hook.calls is not None
        mark, title = hook.hook.calls.named[0].mark, f"the hook {hook.hook.name}"
        if matches:
            later = ""
            if hook.hook.calls.method is not None:
                in_c = any(map(is_immutable, self._bases.get(id(hook), [])))
                later = ", and those of subclasses in modules" if in_c else ", and those of subclasses"
                later += " that are imported later" if in_c else " that are created later"
            self._report(Problem(mark, "meets", f"{title} matches {_summary(matches)}{later}", None, "note"))
        elif hook.hook.calls.method is not None:
            for base in self._bases.get(id(hook), [])[:1]:
                method = hook.hook.calls.method.value
                message = f"{title} matches no method: neither {base.__qualname__} nor a subclass has {method}"
                self._report(Problem(mark, "meets-nothing", message, did_you_mean(closest(method, dir(base)))))
        else:
            message = f"{title} matches no installed callable"
            suggestion = next(filter(None, map(_intended, hook.hook.calls.named)), None)
            help = did_you_mean(suggestion) or _what_filters_compare(hook.hook.calls)
            help = help or "correct the patterns, or check what the filters exclude"
            self._report(Problem(mark, "meets-nothing", message, help, suggestion=suggestion))

    def _report_names_without_match(
        self, hook: HookPlan, matches: set[int], others: list[tuple[HookPlan, set[int]]]
    ) -> None:
        for problem, lacking in self._missing_names.values():
            if lacking != matches or self._uses.is_found(problem):
                continue
            # Another hook that matches more may be the one that reads the name, where some of its callables have it.
            is_of_another = any(matches < more or problem.mark in _own_marks(other) for other, more in others)
            if problem.mark in _own_marks(hook) or not is_of_another:
                message = (
                    f'"{problem.subject}" is not a parameter of any callable that the hook {hook.hook.name} matches'
                )
                help = problem.help if problem.suggestion else "correct the name, or remove it"
                self._report(Problem(problem.mark, "unknown-name", message, help))


def _intended(pattern: Target) -> str | None:
    """The pattern with a class or function that its module has, if it names a similar one that is missing."""
    module, (first, *rest) = sys.modules.get(pattern.module), pattern.path.split(".")
    if module is None or "*" in first or hasattr(module, first):
        return None
    similar = closest(first, dir(module))
    return None if similar is None else f"{pattern.module}:{'.'.join([similar, *rest])}"


def _what_filters_compare(calls: Callables) -> str | None:
    """The help that lists what the source says where a filter of decorators or annotations excludes everything."""
    names = [name for name in ("decorated_by", "takes", "returns") if getattr(calls, name)]
    unfiltered = replace(calls, decorated_by=(), takes=(), returns=())
    modules = [(name, sys.modules[name]) for name in loaded_modules(module_filter(calls))]
    targets = [(module, each) for name, module in modules for each in matching_targets(module, unfiltered, name)]
    for name in names:
        found = dict.fromkeys(text for module, each in targets for text in texts_of(module, each.path, name))
        if found:
            return f"{name} is compared with the source, where there are: {', '.join([*found][:_MOST_LISTED])}"
    return None


def _own_marks(hook: HookPlan) -> set[Mark]:
    """Where the condition and the names of a hook read names."""
    expressions = [*([hook.when] if hook.when else []), *hook.names.values(), *hook.each.values()]
    return {mark for expression in expressions for mark in expression.name_marks.values()}


def _is_in_script(hook: HookPlan) -> bool:
    """Whether a hook names only callables of `__main__`, which is another module in each process."""
    return hook.hook.calls is not None and all(each.module == MAIN for each in hook.hook.calls.named)


def _summary(calls: list[CallPlan]) -> str:
    names = [str(call.target) for call in calls]
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    modules = len({call.target.module for call in calls})
    where = f" in {modules} modules" if modules > 1 else ""
    return f"{counted(len(names), 'callable')}{where}: {', '.join(names[:_MOST_NAMED])}{more}"

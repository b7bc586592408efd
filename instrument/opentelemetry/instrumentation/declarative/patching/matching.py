"""Which callables of a module a hook on several of them meets."""

from __future__ import annotations

import importlib
import itertools
import re
import sys
import types
from collections.abc import Callable, Iterator

from opentelemetry.instrumentation.declarative.diagnostics.problems import Mark, Problem
from opentelemetry.instrumentation.declarative.language.spec_model import Calls, Hook, Target
from opentelemetry.instrumentation.declarative.patching.filters import found_at, passes
from opentelemetry.instrumentation.declarative.patching.import_hooks import contents, imported
from opentelemetry.instrumentation.declarative.patching.targets import ABSENT, release
from opentelemetry.instrumentation.declarative.plan.model import CallPlan, HookPlan, Plan


class Reached:
    """What the hooks on several callables of one plan have met so far."""

    def __init__(self, plan: Plan, report: Callable[[Problem], None]) -> None:
        self._hooks = [(hook, hook.hook.calls) for hook in plan.patterns if hook.hook.calls is not None]
        self._report = report
        self._met: dict[str, set[tuple[str, str]]] = {hook.hook.name: set() for hook, _ in self._hooks}
        self._missing: dict[str, set[str]] = {hook.hook.name: set() for hook, _ in self._hooks}
        #: Plans that are made here, by what they are for: one that is the same again is the same.
        self._plans: dict[tuple[str, str, tuple[int, ...]], CallPlan] = {}

    @property
    def awaited(self) -> list[Callable[[str], bool]]:
        """What each of the hooks says of a module, by its name: whether something in it may be met."""
        return [awaits(calls) for _, calls in self._hooks]

    @property
    def above(self) -> list[str]:
        """The modules of the classes that something has to be below."""
        return list(dict.fromkeys(calls.subclass_of.module for _, calls in self._hooks if calls.subclass_of))

    def joined(self, named: list[CallPlan], module: str) -> list[CallPlan]:
        """The plans of a module's callables: those that hooks name, and those that are met, each callable once."""
        there = sys.modules.get(module)
        if not self._hooks or not isinstance(there, types.ModuleType):
            return named
        hooks: dict[tuple[str, str], list[HookPlan]] = {}
        targets: dict[tuple[str, str], Target] = {}
        for hook, calls in self._hooks:
            for target in self._meets(hook.hook, calls, there):
                targets.setdefault((target.module, target.path), target)
                hooks.setdefault((target.module, target.path), []).append(hook)
        joined = []
        for call in named:
            more = hooks.pop((call.target.module, call.target.path), []) if call.tap is None else []
            joined.append(self._plan(call.target, [*call.hooks, *more]) if more else call)
        return [*joined, *(self._plan(targets[place], several) for place, several in hooks.items())]

    def _plan(self, target: Target, hooks: list[HookPlan]) -> CallPlan:
        key = (target.module, target.path, tuple(map(id, hooks)))
        return self._plans.setdefault(key, CallPlan(target, None, hooks))

    def _meets(self, hook: Hook, calls: Calls, module: types.ModuleType) -> list[Target]:
        """What is met, as far as the hook's limit allows; what cannot be met at all is told."""
        found = []
        for target in met(module, calls):
            seen = self._met[hook.name]
            if len(seen) < calls.limit or (target.module, target.path) in seen:
                seen.add((target.module, target.path))
                found.append(target)
            else:
                message = f"the hook {hook.name} meets more than {calls.limit} callables: what comes after stays off"
                self._report(Problem(target.mark, "too-many-callables", message, "narrow the pattern, or raise limit"))
        if not any("*" in str(each) for each in calls.include):
            missing = self._missing[hook.name]
            missing.update(
                str(e) for e in calls.include if e.module == module.__name__ and not is_there(module, e.path)
            )
            if len(missing) == len(calls.include):
                message = (
                    f"none of {', '.join(map(str, calls.include))} is there: {release(module)}what hooks it stays off"
                )
                self._report(Problem(calls.include[0].mark, "target-missing", message, "name one that is there"))
        return found


def all_calls(plan: Plan, load: Callable[[str, Mark], bool]) -> list[CallPlan]:
    """Every callable that a plan hooks, also those that are met. For the command line.

    Imports each module in which something could be met, with ``load``, which says whether that went well.
    """
    reached, found = Reached(plan, lambda _: None), list(plan.calls)
    for name, mark in modules_of(plan).items():
        if load(name, mark):
            named = [call for call in found if call.target.module == name]
            joined = reached.joined(named, name)
            found = [*(call for call in found if call not in named), *joined]
    return found


def modules_of(plan: Plan) -> dict[str, Mark]:
    """The modules in which something could be met, with where that is asked for. Imports packages to look into them."""
    modules: dict[str, Mark] = {}
    for hook in plan.patterns:
        calls = hook.hook.calls
        if calls is None:
            continue
        try:
            names = list(importable(calls))
        except Exception:  # a package that cannot be imported is told where it is asked for by its name
            names = [target.module for target in calls.include if "*" not in target.module]
        for name in (*names, *imported(awaits(calls))):
            modules.setdefault(name, calls.include[0].mark)
    return modules


def awaits(calls: Calls) -> Callable[[str], bool]:
    """Says of a module, by its name, whether something in it may be met."""
    patterns = [_module_pattern(target.module) for target in calls.include]
    return lambda name: any(pattern.fullmatch(name) for pattern in patterns)


def met(module: types.ModuleType, calls: Calls) -> list[Target]:
    """The callables of a module that a hook meets, in the order in which the module has them."""
    name = module.__name__
    excluded = [pattern for each in calls.exclude if (pattern := _path_pattern(each, name, hidden=True))]
    found: dict[str, Mark] = {}
    for each in calls.include:
        pattern = _path_pattern(each, name)
        if pattern is None:
            continue
        paths = _paths(module) if "*" in str(each) else [each.path] if is_there(module, each.path) else []
        found.update((path, each.mark) for path in paths if path not in found and pattern.fullmatch(path))
    return [
        Target(name, path, mark)
        for path, mark in found.items()
        if not any(_is_in(path, pattern) for pattern in excluded) and passes(module, path, calls)
    ]


def _is_in(path: str, excluded: re.Pattern[str]) -> bool:
    """Whether a path is excluded: what is said of a class is said of all that is in it."""
    return any(excluded.fullmatch(owner) for owner in itertools.accumulate(path.split("."), "{}.{}".format))


def importable(calls: Calls) -> Iterator[str]:
    """The names of the modules that could be met, imported or not. Packages are imported to look into them."""
    matches = awaits(calls)
    for each in calls.include:
        first, *rest = each.module.split(".")
        for step in rest:
            if "*" in step:
                break
            first = f"{first}.{step}"
        yield from filter(matches, (first, *_modules_in(first)))


def is_there(module: types.ModuleType, path: str) -> bool:
    """Whether a module has something under a path."""
    return found_at(module, path.split(".")) is not ABSENT


def _modules_in(package: str) -> Iterator[str]:
    import pkgutil

    found = importlib.import_module(package)
    for each in pkgutil.iter_modules(getattr(found, "__path__", ()), f"{package}."):
        yield each.name
        if each.ispkg:
            yield from _modules_in(each.name)


def _module_pattern(text: str) -> re.Pattern[str]:
    return re.compile(re.escape(text).replace(r"\*", r"[\w.]*"))


def _path_pattern(target: Target, module: str, *, hidden: bool = False) -> re.Pattern[str] | None:
    """The pattern of a path, if the module is the one. ``hidden``: a star also stands for an underscore in front."""
    if not _module_pattern(target.module).fullmatch(module):
        return None
    first = r"\w*" if hidden else r"(?!_)\w*"
    steps = (re.escape(step).replace(r"\*", r"\w*") for step in target.path.split("."))
    return re.compile(r"\.".join(first + step[3:] if step.startswith(r"\w*") else step for step in steps))


def _paths(module: types.ModuleType) -> Iterator[str]:
    """The functions and methods that are defined in a module; what it has imported is another's."""
    for name, held in list(contents(module).items()):
        if isinstance(held, type) and held.__module__ == module.__name__ and held.__qualname__ == name:
            yield from _methods(held, name)
        elif isinstance(held, types.FunctionType) and held.__module__ == module.__name__:
            yield name


def _methods(owner: type, path: str) -> Iterator[str]:
    for name, held in list(vars(owner).items()):
        here = f"{path}.{name}"
        if isinstance(held, type):
            if held.__module__ == owner.__module__ and held.__qualname__ == here:
                yield from _methods(held, here)
        elif isinstance(held.__func__ if type(held) in (staticmethod, classmethod) else held, types.FunctionType):
            yield here

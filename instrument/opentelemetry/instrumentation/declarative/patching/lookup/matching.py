"""Which callables of a module the hooks with patterns match."""

from __future__ import annotations

import importlib
import itertools
import re
import types
from collections.abc import Callable, Iterator

from opentelemetry.instrumentation.declarative.diagnostics.problems import Mark, Problem
from opentelemetry.instrumentation.declarative.language.nodes.callables import Callables
from opentelemetry.instrumentation.declarative.language.nodes.hook import Hook
from opentelemetry.instrumentation.declarative.language.values import Target
from opentelemetry.instrumentation.declarative.patching.imports.import_hooks import contents, loaded_modules
from opentelemetry.instrumentation.declarative.patching.imports.module_objects import Definitions, modules_named
from opentelemetry.instrumentation.declarative.patching.imports.script_names import names_of_script
from opentelemetry.instrumentation.declarative.patching.imports.target_loading import in_release
from opentelemetry.instrumentation.declarative.patching.lookup.caller_frames import left_out_of_pattern
from opentelemetry.instrumentation.declarative.patching.lookup.filters import passes_filters
from opentelemetry.instrumentation.declarative.patching.lookup.kept_functions import is_definition
from opentelemetry.instrumentation.declarative.patching.lookup.nested_functions import (
    LOCALS,
    definitions,
    nested_names,
    split_path,
)
from opentelemetry.instrumentation.declarative.patching.lookup.static_lookup import (
    MISSING,
    can_be_changed,
    defining_class,
    value_at,
)
from opentelemetry.instrumentation.declarative.plan.model import CallPlan, HookPlan, Plan


class Matcher:
    """Matches the hooks on several callables of one plan against modules, and counts matches against their limits."""

    def __init__(self, plan: Plan, report: Callable[[Problem], None]) -> None:
        self._hooks = [
            (hook, calls) for hook in plan.patterns if (calls := hook.hook.calls) is not None and calls.method is None
        ]
        self._report = report
        #: Module and path of the callables matched so far, by the hook's name.
        self._matched: dict[str, set[tuple[str, str]]] = {hook.hook.name: set() for hook, _ in self._hooks}
        self._missing: dict[str, set[str]] = {hook.hook.name: set() for hook, _ in self._hooks}
        #: The plans created here, by target and hooks: the same combination always gets the same plan.
        self._plans: dict[tuple[str, str, tuple[int, ...]], CallPlan] = {}

    @property
    def module_filters(self) -> list[Callable[[str], bool]]:
        """For each hook, a function that says of a module's name whether the module may contain a match."""
        return [module_filter(calls) for _, calls in self._hooks]

    @property
    def marks(self) -> list[Mark]:
        """For each of them, the position of its first pattern."""
        return [calls.include[0].mark for _, calls in self._hooks]

    @property
    def base_class_modules(self) -> list[str]:
        """The modules of the classes named by `subclass_of`."""
        return list(dict.fromkeys(calls.subclass_of.module for _, calls in self._hooks if calls.subclass_of))

    def plans_in(self, module_name: str, named: list[CallPlan], within: Definitions | None = None) -> list[CallPlan]:
        """Return the plans of a module's callables: those that hooks name and those that match, each callable once.

        With ``within``, only in this part of a module.
        """
        candidates = modules_named(module_name) if within is None else [within.module]
        modules = [each for each in candidates if isinstance(each, types.ModuleType)]
        if not self._hooks or not modules:
            return named
        hooks: dict[tuple[str, str], list[HookPlan]] = {}
        targets: dict[tuple[str, str], Target] = {}
        for hook, calls in self._hooks:
            matches = (self._matches(hook.hook, calls, module, module_name, within) for module in modules)
            for target in {target.path: target for found in matches for target in found}.values():
                targets.setdefault((target.module, target.path), target)
                hooks.setdefault((target.module, target.path), []).append(hook)
        plans = []
        for call in named:
            more = hooks.pop((call.target.module, call.target.path), []) if call.extension is None else []
            plans.append(self._plan(call.target, [*call.hooks, *more]) if more else call)
        return [*plans, *(self._plan(targets[key], matching) for key, matching in hooks.items())]

    def plans_in_script(self, calls: list[CallPlan], script: Definitions) -> list[CallPlan]:
        """Return the plans of the callables that the script has defined, by any of its names, each callable once."""
        defined = [call for call in calls if script.includes(call.target.path)]
        plans: dict[tuple[str, str | None], CallPlan] = {}
        for name in names_of_script(vars(script.module)):
            named = [call for call in defined if call.target.module == name]
            for plan in self.plans_in(name, named, script):
                key = plan.target.path, plan.extension
                first = plans.setdefault(key, plan)
                more = [hook for hook in plan.hooks if not any(hook is other for other in first.hooks)]
                if more:
                    plans[key] = self._plan(first.target, [*first.hooks, *more])
        return list(plans.values())

    def _plan(self, target: Target, hooks: list[HookPlan]) -> CallPlan:
        key = (target.module, target.path, tuple(map(id, hooks)))
        return self._plans.setdefault(key, CallPlan(target, None, hooks))

    def _matches(
        self, hook: Hook, calls: Callables, module: types.ModuleType, name: str, within: Definitions | None
    ) -> list[Target]:
        """Match a hook up to its limit; report a surplus, and that nothing it names exists."""
        found = []
        for target in matching_targets(module, calls, name):
            if within is not None and not within.includes(target.path):
                continue
            note = left_out_of_pattern(hook.name, target, value_at(module, target.path.split(".")))
            if note is not None and str(target) not in map(str, calls.include):
                self._report(note)
                continue
            matched = self._matched[hook.name]
            if len(matched) < calls.limit or (target.module, target.path) in matched:
                matched.add((target.module, target.path))
                found.append(target)
            else:
                message = f"the hook {hook.name} matches more than {calls.limit} callables: the others are not hooked"
                help = "narrow the pattern, or raise `limit`"
                self._report(Problem(target.mark, "too-many-callables", message, help))
        if not any("*" in str(each) for each in calls.include):
            missing = self._missing[hook.name]
            missing.update(
                str(each)
                for each in calls.include
                if each.module == name
                and (within is None or within.includes(each.path))
                and not _exists(module, each.path)
            )
            if len(missing) == len(calls.include):
                names = ", ".join(map(str, calls.include))
                message = f"none of {names} exists{in_release(module)}: hooks on them are inactive"
                self._report(Problem(calls.include[0].mark, "target-missing", message, "name one that exists"))
        return found


def all_calls(plan: Plan, load: Callable[[str, Mark], bool]) -> list[CallPlan]:
    """Return every callable that a plan hooks, including those that patterns match. For the command line.

    Imports each module that may contain a match with ``load``, which returns whether the import succeeded.
    """
    matcher, calls = Matcher(plan, lambda _: None), list(plan.calls)
    for module, mark in candidate_modules(plan).items():
        if load(module, mark):
            named = [call for call in calls if call.target.module == module]
            plans = matcher.plans_in(module, named)
            calls = [*(call for call in calls if call not in named), *plans]
    return calls


def candidate_modules(plan: Plan) -> dict[str, Mark]:
    """Return the modules that may contain a match, with the location of the pattern. Imports packages to list them."""
    modules: dict[str, Mark] = {}
    for hook in plan.patterns:
        calls = hook.hook.calls
        if calls is None:
            continue
        if calls.method is not None and calls.subclass_of is not None:
            modules.setdefault(calls.subclass_of.module, calls.subclass_of.mark)
            continue
        try:
            names = list(_importable_modules(calls))
        except Exception:  # a package that cannot be imported is reported by whatever needs it by name
            names = [target.module for target in calls.include if "*" not in target.module]
        for name in (*names, *loaded_modules(module_filter(calls))):
            modules.setdefault(name, calls.include[0].mark)
    return modules


def module_filter(calls: Callables) -> Callable[[str], bool]:
    """Return a function that says of a module's name whether the module may contain a match."""
    patterns = [_module_pattern(target.module) for target in calls.include]
    return lambda name: any(pattern.fullmatch(name) for pattern in patterns)


def matching_targets(module: types.ModuleType, calls: Callables, name: str) -> list[Target]:
    """Return the callables of a module that match under its name, in the order in which the module defines them."""
    excluded = [pattern for each in calls.exclude if (pattern := _path_pattern(each, name, private=True))]
    found: dict[str, Mark] = {}
    for each in calls.include:
        pattern = _path_pattern(each, name)
        if pattern is None:
            continue
        if "*" in str(each):
            paths = _defined_paths(module) if split_path(each.path) is None else _nested_paths(module)
        else:
            paths = iter([each.path] if _exists(module, each.path) else [])
        found.update((path, each.mark) for path in paths if path not in found and pattern.fullmatch(path))
    return [
        Target(name, path, mark)
        for path, mark in found.items()
        if not any(_is_excluded(path, pattern) for pattern in excluded) and passes_filters(module, path, calls)
    ]


def is_excluded(target: Target, calls: Callables) -> bool:
    """Whether a pattern of a hook excludes a callable."""
    patterns = (_path_pattern(each, target.module, private=True) for each in calls.exclude)
    return any(pattern is not None and _is_excluded(target.path, pattern) for pattern in patterns)


def _is_excluded(path: str, pattern: re.Pattern[str]) -> bool:
    """Whether a pattern excludes a path: one that matches a class excludes everything in it."""
    return any(pattern.fullmatch(prefix) for prefix in itertools.accumulate(path.split("."), "{}.{}".format))


def _importable_modules(calls: Callables) -> Iterator[str]:
    """The names of the modules that may contain a match, imported or not. Imports packages to list their modules."""
    is_candidate = module_filter(calls)
    for each in calls.include:
        package, *rest = each.module.split(".")
        for step in rest:
            if "*" in step:
                break
            package = f"{package}.{step}"
        yield from filter(is_candidate, (package, *_modules_below(package)))


def _modules_below(package: str) -> Iterator[str]:
    import pkgutil

    imported = importlib.import_module(package)
    for each in pkgutil.iter_modules(getattr(imported, "__path__", ()), f"{package}."):
        yield each.name
        if each.ispkg:
            yield from _modules_below(each.name)


def _exists(module: types.ModuleType, path: str) -> bool:
    outer, inner = split_path(path) or (path, [])
    value = value_at(module, outer.split("."))
    return bool(definitions(value, outer, inner)) if inner else value is not MISSING


def _module_pattern(text: str) -> re.Pattern[str]:
    return re.compile(re.escape(text).replace(r"\*", r"[\w.]*"))


def _path_pattern(target: Target, module: str, *, private: bool = False) -> re.Pattern[str] | None:
    """Return the pattern of a target's path, or None if the target is for other modules.

    A leading star does not match a leading underscore, unless ``private``.
    """
    if not _module_pattern(target.module).fullmatch(module):
        return None
    leading_star = r"\w*" if private else r"(?!_)\w*"
    steps = (re.escape(step).replace(r"\*", r"\w*") for step in target.path.split("."))
    return re.compile(r"\.".join(leading_star + step[3:] if step.startswith(r"\w*") else step for step in steps))


def _defined_paths(module: types.ModuleType) -> Iterator[str]:
    """The paths of the functions and methods that a module defines itself, not of those it imports."""
    for name, value in list(contents(module).items()):
        value = defining_class(value, module.__name__, name)
        kind = type(value)  # not `isinstance`: a proxy would create what it stands for
        if issubclass(kind, type) and value.__module__ == module.__name__ and value.__qualname__ == name:
            yield from _method_paths(value, name)
        elif issubclass(kind, types.FunctionType):
            if value.__module__ == module.__name__:
                yield name
        elif is_definition(value, module.__name__, name):
            yield name


def _nested_paths(module: types.ModuleType) -> Iterator[str]:
    """The paths of the functions that those of a module define."""
    for path in _defined_paths(module):
        for name in nested_names(value_at(module, path.split(".")), path):
            yield f"{path}.{LOCALS}.{name}"


def _method_paths(owner: type, path: str) -> Iterator[str]:
    if not can_be_changed(owner):
        return
    for name, value in list(vars(owner).items()):
        method_path = f"{path}.{name}"
        function = value.__func__ if type(value) in (staticmethod, classmethod) else value
        if issubclass(type(value), type):
            if value.__module__ == owner.__module__ and value.__qualname__ == method_path:
                yield from _method_paths(value, method_path)
        elif issubclass(type(function), types.FunctionType) or is_definition(value, owner.__module__, method_path):
            yield method_path

"""Modules of a spec that the program does not import, or by another name, as ``shop`` instead of ``src.shop``."""

from __future__ import annotations

import atexit
import fnmatch
import functools
import importlib.util
import itertools
import os
import sys
import types
from collections.abc import Callable, Container, Iterator, Mapping
from dataclasses import replace
from typing import Any

from opentelemetry.instrumentation.declarative.config.run_flags import read_run_flags
from opentelemetry.instrumentation.declarative.diagnostics.problems import Problem, did_you_mean
from opentelemetry.instrumentation.declarative.language.values import Target
from opentelemetry.instrumentation.declarative.patching.imports.import_hooks import when_any_imported
from opentelemetry.instrumentation.declarative.patching.imports.module_loads import contents
from opentelemetry.instrumentation.declarative.patching.imports.script_names import (
    MAIN,
    current_names,
    is_script,
    is_spawned,
)
from opentelemetry.instrumentation.declarative.patching.imports.target_loading import missing_module
from opentelemetry.instrumentation.declarative.plan.model import Plan

#: The length from which a name of a package is compared with others: shorter ones are all similar.
_SHORTEST_COMPARED = 3


class OtherNames:
    """Reports, once for each module, that hooks on it are inactive because it has another name in the program.

    If the spec misspells a package, it is recognised by the callable: a spec can be for several programs, of which each
    has some of its modules. If no module has the name, that is reported when a program ends that `instrument run` has
    started: only then is it known where it looks for modules. The processes that it starts may look elsewhere.

    ``imported`` has the modules of the spec that have been imported so far.
    """

    def __init__(self, plan: Plan, imported: Container[str], report: Callable[[Problem], None]) -> None:
        self._imported_modules = imported
        self._report = report
        self._reported: set[str] = set()
        self._process = os.getpid()
        #: The targets of each hook, of which one suffices.
        self._hooks = [*_targets_of_hooks(plan)]
        #: Their subclasses are found wherever these are defined.
        self._base_classes = [hook.hook.calls.subclass_of for hook in plan.patterns if hook.hook.calls]
        #: By the last part of the name of their module.
        self._targets: dict[str, list[Target]] = {}
        #: By their package.
        self._packages: dict[str, list[Target]] = {}
        for target in itertools.chain.from_iterable(self._hooks):
            self._targets.setdefault(_last(target.module), []).append(target)
            self._packages.setdefault(_package(target.module), []).append(target)
        #: The packages by what is left of their names without one character.
        self._shortened: dict[str, set[str]] = {}
        for package in self._packages:
            for shortened in _shortened(package):
                self._shortened.setdefault(shortened, set()).add(package)
        self._similar_to = functools.cache(self._find_similar)

    def start(self) -> Callable[[], None]:
        """Start to listen. Returns how to stop."""
        atexit.register(self._process_ends)
        stop_listening = when_any_imported(self._may_be_one, self._imported)

        def stop() -> None:
            stop_listening()
            atexit.unregister(self._process_ends)

        return stop

    def _process_ends(self) -> None:
        if os.getpid() == self._process and not is_spawned():
            for name in current_names():
                self._report_misspelt(name, contents(sys.modules.get(MAIN)))
            self._report_added()
        if os.getpid() == read_run_flags().process:
            self._report_missing()

    def _report_added(self) -> None:
        """Report modules that the program has made itself."""
        for target in itertools.chain.from_iterable(self._hooks):
            module, held = target.module, contents(sys.modules.get(target.module))
            if (
                target in self._base_classes
                or module in self._imported_modules
                or module in self._reported
                or is_script(module)
            ):
                continue
            if _defines(held, target) and not getattr(held.get("__spec__"), "_initializing", False):
                self._reported.add(module)
                message = f"{module} was added to sys.modules without an import: hooks on it are inactive"
                help = "create it with importlib.util.module_from_spec, and run its code with exec_module of its loader"
                self._report(Problem(target.mark, "target-missing", message, help, "warning"))

    def _report_missing(self) -> None:
        for targets in self._hooks:
            packages = {_package(target.module) for target in targets}
            if self._reported.isdisjoint(target.module for target in targets) and not any(map(_exists, packages)):
                self._reported.add(targets[0].module)
                problem = missing_module(_package(targets[0].module), targets[0].mark)
                self._report(replace(problem, severity="warning"))

    def _may_be_one(self, module: str) -> bool:
        return _last(module) in self._targets or bool(self._similar_to(_package(module)))

    def _imported(self, module: str) -> None:
        for target in self._targets.get(_last(module), ()):
            if _is_same(module, target):
                help = f"name a module as the program imports it: {module}:{target.path}"
                self._report_once(target, module, help)
        self._report_misspelt(module, contents(sys.modules.get(module)))

    def _report_misspelt(self, module: str, namespace: Mapping[str, Any]) -> None:
        """Report the targets that are in this module if their package is misspelt."""
        package, dot, rest = module.partition(".")
        for misspelt in self._similar_to(package):
            for target in self._packages[misspelt]:
                is_in_module = fnmatch.fnmatchcase(f"{misspelt}{dot}{rest}", target.module)
                if is_in_module and _defines(namespace, target) and not _exists(misspelt):
                    target_module = package + target.module[len(misspelt) :]
                    self._report_once(target, module, did_you_mean(f"{target_module}:{target.path}"))

    def _report_once(self, target: Target, module: str, help: str | None) -> None:
        if target.module not in self._reported:
            self._reported.add(target.module)
            message = f"{target.module} was not imported, but {module} was: hooks on {target.module} are inactive"
            self._report(Problem(target.mark, "target-missing", message, help, "warning"))

    def _find_similar(self, package: str) -> list[str]:
        """The packages of targets that differ from a package by one typing error."""
        if len(package) < _SHORTEST_COMPARED or package in self._packages:
            return []
        return sorted({found for each in _shortened(package) for found in self._shortened.get(each, ())})


def _targets_of_hooks(plan: Plan) -> Iterator[list[Target]]:
    for call in plan.calls:
        if call.extension is None and call.target.module != MAIN:
            yield [call.target]
    for hook in plan.patterns:
        calls = hook.hook.calls
        targets = [] if calls is None else [*calls.include, *filter(None, [calls.subclass_of])]
        if targets and all(target.module != MAIN for target in targets):
            yield targets


def _last(module: str) -> str:
    return module.rpartition(".")[2]


def _package(module: str) -> str:
    return module.partition(".")[0]


def _shortened(name: str) -> set[str]:
    """A name, and what is left of it without any one character.

    Two names have one of these in common if one character is missing, added or another one, or if two neighbours are
    exchanged.
    """
    return {name, *(name[:index] + name[index + 1 :] for index in range(len(name)))}


def _is_same(module: str, target: Target) -> bool:
    """Whether a module of another name is the one that a target means, which is not imported by its own name."""
    wanted, held = target.module, contents(sys.modules.get(module))
    if module == wanted or wanted in sys.modules or not _defines(held, target):
        return False
    if wanted.endswith(f".{module}"):
        file = held.get("__file__")
        path = os.path.splitext(file)[0].removesuffix(f"{os.sep}__init__") if isinstance(file, str) else ""
        return path.endswith(os.sep + wanted.replace(".", os.sep))
    return module.endswith(f".{wanted}") and not _exists(_package(wanted))


def _defines(namespace: Mapping[str, Any], target: Target) -> bool:
    """Whether a module has what a target or pattern names, from its namespace."""
    name = target.path.partition(".")[0]
    if "*" not in name:
        return name in namespace
    own = (types.FunctionType, type)
    return any(issubclass(type(value), own) for each, value in [*namespace.items()] if fnmatch.fnmatchcase(each, name))


def _exists(package: str) -> bool:
    """Whether a package has been imported or can be."""
    try:
        return package in sys.modules or importlib.util.find_spec(package) is not None
    except Exception:  # raised by a finder of the program
        return True

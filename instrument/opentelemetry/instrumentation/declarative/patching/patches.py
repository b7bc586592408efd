"""All patches of one spec: installed when their modules are imported, replaced on a reload, and removed exactly."""

from __future__ import annotations

import contextlib
import functools
import importlib.util
import sys
import threading
import types
from collections.abc import Callable, Container, Iterator
from typing import Any

from opentelemetry.instrumentation.declarative.diagnostics.log import logger
from opentelemetry.instrumentation.declarative.diagnostics.problems import Problem
from opentelemetry.instrumentation.declarative.patching.bypasses import copies_of, find_aliases, find_copies
from opentelemetry.instrumentation.declarative.patching.import_hooks import is_lazy, loaded_modules
from opentelemetry.instrumentation.declarative.patching.import_waits import ImportWaits
from opentelemetry.instrumentation.declarative.patching.matching import Matcher
from opentelemetry.instrumentation.declarative.patching.module_objects import Definitions
from opentelemetry.instrumentation.declarative.patching.patch import Patch, still_referenced
from opentelemetry.instrumentation.declarative.patching.script_names import MAIN
from opentelemetry.instrumentation.declarative.patching.script_waits import ScriptWait
from opentelemetry.instrumentation.declarative.patching.target_loading import PatchError, missing_module
from opentelemetry.instrumentation.declarative.patching.targets import (
    PatchPoint,
    cannot_patch,
    make_proxy,
    patch_points_of,
    unwrap,
)
from opentelemetry.instrumentation.declarative.plan.model import CallPlan, Plan
from opentelemetry.instrumentation.declarative.runtime.forks import reset_in_children
from opentelemetry.instrumentation.declarative.wrappers import CodeSwitch, SpecRuntime, Wrapper, make_wrapper


class Patches:
    """All patches of one spec. Safe to use from several threads: an import may happen in any of them.

    ``report`` receives the problems found while patching. With ``copies``, functions are also patched in the modules
    that had imported them by name.
    """

    def __init__(
        self, plan: Plan, runtime: SpecRuntime, report: Callable[[Problem], None], *, copies: bool = False
    ) -> None:
        self._calls = plan.calls
        self._matcher = Matcher(plan, report)
        self._runtime = runtime
        self._report = report
        self._copies = copies
        self._active = False
        self._patches: list[Patch] = []
        #: Patches of functions that a reload of their module has replaced; code that still holds one calls it.
        self._outdated: list[Patch] = []
        #: Functions of removed patches, by what they replaced: a later plan may hook it again.
        self._passive: list[tuple[PatchPoint, tuple[CodeSwitch, ...]]] = []
        self._waits = ImportWaits()
        self._imported_modules: set[str] = set()
        #: By the id of a call plan: why it cannot be patched, and why some of its calls may not be seen.
        self.refused: dict[int, str] = {}
        self.hints: dict[int, str] = {}
        self._lock = threading.RLock()
        reset_in_children(self)

    def reset_after_fork(self) -> None:
        """Replace the lock in a child process: the thread that held it does not exist there."""
        self._lock = threading.RLock()

    def install(self) -> None:
        """Patch every module that is imported already, and each of the others once it is imported."""
        self._active = True
        for module in dict.fromkeys(call.target.module for call in self._calls):
            if module in self._waits:  # for an earlier plan
                if module in self._imported_modules:
                    self._patch_all(module, skip={id(patch.call) for patch in self._patches})
                continue
            if module == MAIN:
                continue
            self._waits.add(module, self._module_imported, self._package_imported)
        for selects in self._matcher.module_filters:
            self._waits.add_pattern(selects, self._module_imported)
        for wait in self._script_waits():
            self._waits.add_script(wait)
        for module in self._matcher.base_class_modules:
            self._waits.add_base_class(module, self._base_class_imported)

    def _script_waits(self) -> Iterator[ScriptWait]:
        """What this spec waits for if one of its modules is the script."""
        names: dict[str, set[str]] = {}
        for call in self._calls:
            names.setdefault(call.target.module, set()).add(call.target.path.partition(".")[0])
        marks = {call.target.module: call.target.mark for call in reversed(self._calls)}
        for module, wanted in names.items():
            is_it = functools.partial(str.__eq__, module)
            yield ScriptWait(is_it, frozenset(wanted), self._script_defines, str(marks[module]))
        for selects, mark in zip(self._matcher.module_filters, self._matcher.marks, strict=True):
            yield ScriptWait(selects, None, self._script_defines, str(mark))

    def change(self, plan: Plan, runtime: SpecRuntime) -> None:
        """Replace the wrappers with those of another plan.

        What both plans hook is never without a wrapper, and no call goes through two: our functions forward to the new
        ones first, and only then are the new ones put in their place.
        """
        with self._lock:
            if not self._active:
                return
            self._waits.cancel_patterns()
            self._calls, self._matcher, self._runtime = plan.calls, Matcher(plan, self._report), runtime
            self._passive = [(point, alive) for point, held in self._passive if (alive := still_referenced(held))]
            self._patches = [new for patch in self._patches if (new := self._changed(patch)) is not None]
            outdated = (self._changed(patch, outdated=True) for patch in self._outdated)
            self._outdated = [patch for patch in outdated if patch is not None]
            self._imported_modules -= self._waits.cancel_modules(keep={call.target.module for call in self._calls})
            self.install()

    def _changed(self, patch: Patch, *, outdated: bool = False) -> Patch | None:
        """Return the patch with the wrapper of the new plan. If the plan has none, remove it and return None."""
        try:
            for call in self._calls_in(patch.call.target.module):
                same = str(call.target) == str(patch.call.target) and call.tap == patch.call.tap
                if same and (call.tap is None or self._runtime.tap(call.tap) is patch.point.owner):
                    return self._rewrapped(patch, call, outdated)
        except PatchError as error:
            self._report(error.problem)
        except Exception:
            logger.exception("%s could not be patched again. The application is not affected.", patch.call.target)
        if outdated:
            patch.pass_through()
        else:
            self._remove(patch)
        return None

    def _rewrapped(self, patch: Patch, call: CallPlan, outdated: bool) -> Patch | None:
        made = self._make_replacement(call, patch.point.value)
        if made is None:
            if not outdated:
                self._remove(patch)
            return None
        wrapper, replacement = made
        assert wrapper.function is not None
        for function in patch.live_functions:
            function.forward_to(wrapper.function)
        if not outdated and patch.is_in_place:
            setattr(patch.point.owner, patch.point.name, replacement)
            replacement = vars(patch.point.owner)[patch.point.name]
        else:  # a reload or another tool's wrapper has taken our place: the old function stays, and forwards
            replacement = patch.replacement
        return Patch(call, patch.point, replacement, wrapper, patch.live_functions)

    def _remove(self, patch: Patch) -> None:
        patch.remove()
        self._passive.append((patch.point, patch.live_functions))

    def undo(self) -> None:
        """Restore the original objects. If another tool has wrapped one of ours, that one passes through."""
        with self._lock:
            self._active = False
            self._waits.cancel_patterns()
            self._waits.cancel_modules()
            for patch in self._outdated:
                patch.pass_through()
            self._outdated.clear()
            for patch in reversed(self._patches):
                self._remove(patch)
            self._patches.clear()
            self._passive.clear()

    @property
    def calls(self) -> list[CallPlan]:
        """Every callable that is patched or waited for, with all its hooks."""
        patched = list({id(patch.call): patch.call for patch in list(self._patches)}.values())
        keys = {(call.target.module, call.target.path, call.tap) for call in patched}
        return [*patched, *(c for c in self._calls if (c.target.module, c.target.path, c.tap) not in keys)]

    @property
    def installed(self) -> set[int]:
        """The ids of the call plans that are patched."""
        return {id(patch.call) for patch in list(self._patches)}

    @property
    def sources(self) -> dict[str, str]:
        """The generated source of every installed wrapper, by its target."""
        return {str(patch.wrapper.target): patch.wrapper.source for patch in self._patches}

    def _module_imported(self, module: str) -> None:
        with self._lock:
            if not self._active:
                return
            self._imported_modules.add(module)
            self._patch_all(module)

    def _script_defines(self, name: str, script: types.ModuleType, names: frozenset[str]) -> None:
        """Patch what the script has defined: the other names of the module have no final values yet."""
        with self._lock:
            if self._active:
                self._patch_all(name, within=Definitions(script, names))

    def _patch_all(self, module: str, skip: Container[int] = (), within: Definitions | None = None) -> None:
        for call in self._calls_in(module, within):
            if id(call) in skip:
                continue
            try:
                for point in patch_points_of(call, self._runtime.tap, within.module if within else None):
                    self._patch(call, point)
            except PatchError as error:
                self.refused[id(call)] = error.problem.message
                self._report(error.problem)
            except Exception as error:
                self.refused[id(call)] = f"{call.target} cannot be patched: {type(error).__name__}"
                # Never raise: this runs inside an import of the application.
                logger.exception(
                    "%s: %s could not be patched. The application is not affected.", call.target.mark, call.target
                )

    def _calls_in(self, module: str, within: Definitions | None = None) -> list[CallPlan]:
        """The hooked callables of a module, by name or by a pattern."""
        named = [call for call in self._calls if call.target.module == module]
        if within is not None:
            named = [call for call in named if within.includes(call.target.path)]
        try:
            return self._matcher.plans_in(module, named, within)
        except Exception:
            logger.exception("patterns could not be matched in %s. The application is not affected.", module)
            return named

    def _base_class_imported(self) -> None:
        """Match again in the modules imported so far: one of them may have subclasses of a class imported just now."""
        for selects in self._matcher.module_filters:
            for module in loaded_modules(selects):
                self._module_imported(module)

    def _package_imported(self, package: str, module: str) -> None:
        """Report if a package has been imported and an awaited module of it does not exist."""
        name = module[len(package) + 1 :].partition(".")[0]
        child = f"{package}.{name}"
        if not self._active or child in sys.modules:
            return
        try:
            if _can_be_imported(child):
                return
            calls = [call for call in self._calls if call.target.module == module]
            problem = missing_module(child, calls[0].target.mark)
            self.refused.update(dict.fromkeys(map(id, calls), problem.message))
            self._report(problem)
        except Exception:  # raised by the application's own finder, inside an import of the application
            logger.exception("it could not be determined whether %s exists. The application is not affected.", child)

    def _patch(self, call: CallPlan, point: PatchPoint) -> None:
        earlier = next((patch for patch in self._patches if patch.is_at(point.owner, point.name)), None)
        if earlier is not None and earlier.replacement is point.own_value:
            if earlier.call is call:
                return  # the module was reloaded and has kept this attribute
            point = earlier.point  # another hook on the same callable
        made = self._make_replacement(call, point.value)
        if made is None:
            return
        wrapper, replacement = made
        with _refusal_as_problem(call):
            setattr(point.owner, point.name, replacement)
        if earlier is not None:
            self._patches.remove(earlier)
            self._outdated.append(earlier)
        assert wrapper.function is not None
        predecessors = self._take_predecessors(point)
        for predecessor in predecessors:
            predecessor.forward_to(wrapper.function)
        patch = Patch(call, point, vars(point.owner)[point.name], wrapper, predecessors)
        self._patches.append(patch)
        if self._copies:
            self._patch_copies(patch)
        for bypass in (find_copies(call, point), find_aliases(call, point, self._calls)):
            if bypass is not None:
                self.hints[id(call)] = f"it {bypass.reason}"
                self._report(bypass.problem)

    def _patch_copies(self, patch: Patch) -> None:
        """Patch the function in the modules that hold it by `from module import function`, too."""
        value = patch.point.value
        for _, module, name in list(copies_of(patch.point)):
            if not is_lazy(module):  # reported as a bypass instead
                setattr(module, name, patch.replacement)
                point = PatchPoint(module, name, value, value)
                self._patches.append(Patch(patch.call, point, patch.replacement, patch.wrapper))

    def _make_replacement(self, call: CallPlan, value: Any) -> tuple[Wrapper, Any] | None:
        """Return the wrapper of a callable and the object to put in its place; None if no rule can be applied to it."""
        raw, rewrap = unwrap(value, call)
        wrapper = make_wrapper(call, raw, self._runtime)
        for problem in wrapper.problems:
            self._report(problem)
        if wrapper.function is None:
            return None
        with _refusal_as_problem(call):
            return wrapper, rewrap(make_proxy(raw, wrapper.function) if wrapper.foreign else wrapper.function)

    def _take_predecessors(self, point: PatchPoint) -> tuple[CodeSwitch, ...]:
        """Return the functions of earlier plans for the same callable that are passive and still referenced."""
        found: tuple[CodeSwitch, ...] = ()
        for entry in [*self._passive]:
            earlier, functions = entry
            if (earlier.owner, earlier.name) == (point.owner, point.name) and earlier.value is point.value:
                self._passive.remove(entry)
                found += functions
        return still_referenced(found)


@contextlib.contextmanager
def _refusal_as_problem(call: CallPlan) -> Iterator[None]:
    """Turn the error with which a class or module refuses a patch into a problem of the spec."""
    try:
        yield
    except (TypeError, AttributeError) as error:
        raise cannot_patch(call, error) from None


def _can_be_imported(module: str) -> bool:
    """Whether a module exists, given that its parent is imported. The parent may have been replaced by a module."""
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:
        return False

"""All patches of one spec: installed when their modules are imported, replaced on a reload, and removed exactly."""

from __future__ import annotations

import functools
import threading
import types
from collections.abc import Callable, Container, Iterable
from typing import Any

from opentelemetry.instrumentation.declarative.diagnostics.log import logger
from opentelemetry.instrumentation.declarative.diagnostics.problems import Problem
from opentelemetry.instrumentation.declarative.patching.bypasses import (
    compiled,
    find_aliases,
    find_copies,
    find_same_function,
)
from opentelemetry.instrumentation.declarative.patching.cached_functions import held_cached_functions
from opentelemetry.instrumentation.declarative.patching.code_readers import CodeReaders
from opentelemetry.instrumentation.declarative.patching.holders import find_holders
from opentelemetry.instrumentation.declarative.patching.hooked_values import HookedValues
from opentelemetry.instrumentation.declarative.patching.import_waits import ImportWaits
from opentelemetry.instrumentation.declarative.patching.imports.import_hooks import loaded_modules
from opentelemetry.instrumentation.declarative.patching.imports.module_objects import Definitions
from opentelemetry.instrumentation.declarative.patching.imports.script_names import MAIN
from opentelemetry.instrumentation.declarative.patching.imports.target_loading import PatchError
from opentelemetry.instrumentation.declarative.patching.inner_patches import InnerPatches
from opentelemetry.instrumentation.declarative.patching.lookup.matching import Matcher
from opentelemetry.instrumentation.declarative.patching.lookup.nested_functions import NestedDefinition
from opentelemetry.instrumentation.declarative.patching.lookup.targets import (
    PatchPoint,
    function_of,
    patch_points_of,
    unwrap,
    wrapped_functions,
)
from opentelemetry.instrumentation.declarative.patching.nested_patches import NestedPatches
from opentelemetry.instrumentation.declarative.patching.patch import Patch, PatchIndex
from opentelemetry.instrumentation.declarative.patching.patch_problems import PatchProblems
from opentelemetry.instrumentation.declarative.patching.recreated_blocks import RecreatedBlocks
from opentelemetry.instrumentation.declarative.patching.replacements import Replacements
from opentelemetry.instrumentation.declarative.patching.script.script_waits import script_waits
from opentelemetry.instrumentation.declarative.patching.subclass_patches import SubclassPatches
from opentelemetry.instrumentation.declarative.patching.wrapper_maker import WrapperMaker
from opentelemetry.instrumentation.declarative.plan.model import CallPlan, Plan
from opentelemetry.instrumentation.declarative.runtime.forks import reset_in_children
from opentelemetry.instrumentation.declarative.runtime.function_code.code_layers import CodeLayer, copy_function
from opentelemetry.instrumentation.declarative.runtime.function_code.shared_code import one_search
from opentelemetry.instrumentation.declarative.wrappers import SpecRuntime


class Patches:
    """All patches of one spec. Safe to use from several threads: an import may happen in any of them.

    ``report`` receives the problems found while patching. With ``copies``, a callable that has to be replaced is also
    replaced in the modules that had imported it by name.
    """

    def __init__(
        self, plan: Plan, runtime: SpecRuntime, report: Callable[[Problem], None], *, copies: bool = False
    ) -> None:
        self._plan = plan
        self._calls = plan.calls
        self._matcher = Matcher(plan, report)
        self._wrappers = WrapperMaker(runtime, report)
        self._report = report
        self._copies = copies
        self._active = False
        self._patches = PatchIndex()
        self._nested = NestedPatches()
        self._subclasses = SubclassPatches(self._wrappers.for_subclass, report, self._run_if_active)
        self._replacements = Replacements()
        self._waits = ImportWaits()
        self._code_readers = CodeReaders(self._compiled)
        self._recreated_blocks = RecreatedBlocks()
        self._values = HookedValues(report)
        self._imported_modules: set[str] = set()
        self._problems = PatchProblems(report)
        self.refused = self._problems.refused
        self._lock = threading.RLock()
        reset_in_children(self)

    def reset_after_fork(self) -> None:
        """Replace the lock in a child process: the thread that held it does not exist there."""
        self._lock = threading.RLock()

    def install(self) -> None:
        """Patch every module that is imported already, and each of the others once it is imported."""
        self._active = True
        self._values.use(self._plan, self._wrappers.runtime)
        self._code_readers.start()
        for module in dict.fromkeys(call.target.module for call in self._calls):
            if module in self._waits:  # for an earlier plan
                if module in self._imported_modules:
                    self._patch_all(module, skip={id(patch.call) for patch in (*self._patches, *self._nested)})
                continue
            if module == MAIN:
                continue
            self._waits.add(module, self._module_imported, self._package_imported)
        for selects in self._matcher.module_filters:
            self._waits.add_pattern(selects, self._module_imported)
        patterns = zip(self._matcher.module_filters, self._matcher.marks, strict=True)
        for wait in script_waits(self._calls, patterns, self._script_defines):
            self._waits.add_script(wait)
        self._waits.add_checks(self._plan, self._imported_modules, lambda: self._patches, self._report)
        for module in self._matcher.base_class_modules:
            self._waits.add_base_class(module, self._base_class_imported)
        self._subclasses.install(self._plan, self._waits)

    def change(self, plan: Plan, runtime: SpecRuntime) -> None:
        """Replace the wrappers with those of another plan.

        What both plans hook is never without a wrapper, and no call goes through two.
        """
        with self._lock:
            if not self._active:
                return
            self._waits.cancel_patterns()
            self._plan = plan
            self._wrappers.use(runtime)
            self._calls, self._matcher = plan.calls, Matcher(plan, self._report)
            self._values.use(plan, runtime)
            changed = [self._changed(patch) for patch in self._patches]
            self._patches = PatchIndex(patch for patch in changed if patch is not None)
            self._nested.change(self._plan_like, self._wrappers.for_definition)
            self._subclasses.change(plan)
            self._imported_modules -= self._waits.cancel_modules(keep={call.target.module for call in self._calls})
            self.install()

    def _plan_like(self, call: CallPlan) -> CallPlan | None:
        """The plan for a callable of an earlier plan; None if there is none."""
        calls = self._calls_in(call.target.module)
        return next((each for each in calls if str(each.target) == str(call.target)), None)

    def _changed(self, patch: Patch) -> Patch | None:
        """Return the patch with the wrapper of the new plan. If the plan has none, remove it and return None."""
        try:
            for call in self._calls_in(patch.call.target.module):
                same = str(call.target) == str(patch.call.target) and call.extension == patch.call.extension
                if same and (
                    call.extension is None or self._wrappers.runtime.extension(call.extension) is patch.point.owner
                ):
                    return self._rewrapped(patch, call)
        except PatchError as error:
            self._report(error.problem)
        except Exception:
            logger.exception("%s could not be patched again. The program is not affected.", patch.call.target)
        patch.remove()
        return None

    def _rewrapped(self, patch: Patch, call: CallPlan) -> Patch | None:
        """Return the patch with the wrapper of another plan; None, and the patch is removed, if that has no rules."""
        raw = patch.layer.function if not patch.is_replaced else unwrap(patch.point.value, call)[0]
        wrapper = self._wrappers.for_point(call, patch.point, raw, patch.recorded)
        if wrapper is None:
            patch.remove()
            return None
        return patch.rewrapped(call, wrapper)

    def undo(self) -> None:
        """Restore the original objects. If another tool has wrapped one of ours, that one passes through."""
        with self._lock:
            self._active = False
            self._waits.cancel_patterns()
            self._waits.cancel_modules()
            for patch in reversed(self._patches):
                patch.remove()
            self._patches = PatchIndex()
            self._nested.undo()
            self._subclasses.undo()
            self._replacements.clear()
            self._values.stop()
            self._code_readers.stop()
            self._recreated_blocks.stop()

    @property
    def calls(self) -> list[CallPlan]:
        """Every callable that is patched or waited for, with all its hooks."""
        patched = [patch.call for patch in (*self._patches, *self._nested)]
        patched = list({id(call): call for call in (*patched, *self._subclasses.calls)}.values())
        keys = {(call.target.module, call.target.path, call.extension) for call in patched}
        patched += self._plan.values
        return [*patched, *(c for c in self._calls if (c.target.module, c.target.path, c.extension) not in keys)]

    def hint(self, call: CallPlan) -> str | None:
        """Why calls of a callable may not be seen."""
        if any(patch.call is call and patch.is_bypassed for patch in self._patches):
            return "the program has replaced it since it was patched"
        return self._problems.hints.get(id(call))

    @property
    def installed(self) -> set[int]:
        """The ids of the call plans that are patched."""
        calls = [*(patch.call for patch in (*self._patches, *self._nested)), *self._subclasses.calls]
        return {*map(id, calls)} | self._values.seen

    @property
    def sources(self) -> dict[str, str]:
        """The generated source of every installed wrapper, by its target."""
        patches = [*(patch for patch in self._patches if not patch.is_inner), *self._nested]
        return {str(patch.wrapper.target): patch.wrapper.source for patch in patches}

    def _run_if_active(self, action: Callable[..., object], *arguments: Any) -> None:
        with self._lock:
            if self._active:
                action(*arguments)

    def _module_imported(self, module: str) -> None:
        with self._lock:
            if self._active:
                self._imported_modules.add(module)
                self._patch_all(module)

    def _script_defines(self, name: str, script: types.ModuleType, names: frozenset[str]) -> None:
        """Patch what the script has defined: the other names of the module have no final values yet."""
        self._run_if_active(self._patch_all, name, (), Definitions(script, names))

    def _patch_all(self, module: str, skip: Container[int] = (), within: Definitions | None = None) -> None:
        calls = [call for call in self._calls_in(module, within) if id(call) not in skip]

        def points_of(call: CallPlan) -> Iterable[PatchPoint]:
            return patch_points_of(call, self._wrappers.runtime.extension, within.module if within else None)

        held = held_cached_functions(calls, points_of)
        with one_search():
            for call in calls:
                try:
                    for point in points_of(call):
                        self._patch(call, point, held)
                except Exception as error:
                    self._problems.refuse(call, error)

    def _calls_in(self, module: str, within: Definitions | None = None) -> list[CallPlan]:
        """The hooked callables of a module, by name or by a pattern."""
        named = [call for call in self._calls if call.target.module == module]
        try:
            if within is not None:
                return self._matcher.plans_in_script(self._calls, within)
            return self._matcher.plans_in(module, named)
        except Exception:
            logger.exception("patterns could not be matched in %s. The program is not affected.", module)
            return named

    def _base_class_imported(self) -> None:
        """Match again in the modules imported so far: one of them may have subclasses of a class imported just now."""
        for selects in self._matcher.module_filters:
            for module in loaded_modules(selects):
                self._module_imported(module)

    def _compiled(self, function: types.FunctionType, compiler: str) -> None:
        """Report, once, that a library compiles a hooked function."""
        calls = [patch.call for patch in self._patches.in_function(function) if not patch.is_inner]
        self._problems.report_bypasses(*(compiled(each, compiler) for each in calls if self.hint(each) is None))

    def _package_imported(self, package: str, module: str) -> None:
        if self._active:
            self._problems.report_missing_module(package, module, self._calls)

    def _patch(self, call: CallPlan, point: PatchPoint, held: Container[int]) -> None:
        if isinstance(point.owner, NestedDefinition):
            self._problems.report_bypasses(self._nested.patch(call, point.owner, self._wrappers.for_definition))
            return
        raw, rewrap = unwrap(point.value, call)
        earlier = self._patches.earlier(call, point, wrapped_functions(raw))
        if earlier is not None:
            if earlier.call is not call:
                for patch in self._patches.at(earlier.point):
                    self._patches.discard(patch)
                    if (changed := self._rewrapped(patch, call)) is not None:
                        self._patches.add(changed)
            return
        function = function_of(call, point)
        if function is not None and self._patches.has_hooks(function, call.hooks):
            return
        if call.extension and type(raw) is types.FunctionType:
            raw = copy_function(raw)
        inner = InnerPatches(call, point, raw)
        wrapper = self._wrappers.for_point(call, point, raw)
        if wrapper is None:
            return
        patches, closure = inner.install(functools.partial(self._wrappers.for_point, call, point))
        self._patches.add(*patches)
        self._problems.report_bypasses(inner.bypass)
        if function is not None:
            others = [patch.call for patch in self._patches.in_function(function)]
            patch = Patch(call, point, wrapper, CodeLayer(function, wrapper.code_for, closure=closure))
            self._recreated_blocks.add(function)
            self._problems.report_bypasses(find_same_function(call, point, others))
        else:
            # The search looks at all objects of the process, which may hold others only while it runs: the process
            # searches for the holders of cached functions only, and `check` for those of all callables.
            holders = find_holders(call, point) if id(point.value) in held else None
            made = self._replacements.bind(call, point, raw, rewrap)
            copies = self._replacements.bind_copies(made) if self._copies else ()
            patch = Patch(call, point, wrapper, CodeLayer(made.caller, wrapper.code_for), made.replacement, copies)
            copies_and_aliases = find_copies(call, point, self._plan), find_aliases(call, point, self._calls)
            self._problems.report_bypasses(*copies_and_aliases, holders)
        self._patches.add(patch)
        inner.finish(patch)

"""Selects the callables of a class or module that get a span, and says why the others get none."""

from __future__ import annotations

import ast
import functools
import inspect
import pkgutil
import sys
import types
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from opentelemetry.instrumentation.declarative.diagnostics.problems import Mark
from opentelemetry.instrumentation.declarative.inspection.installed_callables import is_immutable
from opentelemetry.instrumentation.declarative.inspection.scaffold.lookup import (
    ScaffoldError,
    ScaffoldTarget,
    object_at,
)
from opentelemetry.instrumentation.declarative.inspection.scaffold.worth import reason_against, registered_functions
from opentelemetry.instrumentation.declarative.inspection.sources import function_definition_of
from opentelemetry.instrumentation.declarative.language.values import Target
from opentelemetry.instrumentation.declarative.patching.imports.target_loading import PatchError
from opentelemetry.instrumentation.declarative.patching.lookup.kept_functions import defined_function
from opentelemetry.instrumentation.declarative.patching.lookup.nested_functions import LOCALS, definitions
from opentelemetry.instrumentation.declarative.patching.lookup.targets import find_patch_point, unwrap
from opentelemetry.instrumentation.declarative.plan.model import CallPlan
from opentelemetry.instrumentation.declarative.wrappers.signatures import Signature, read_signature

#: More spans than these make a first spec hard to read.
MOST_SPANS = 30

#: Why callables get no span, as written in the spec.
_IN_C = "written in C"
_NAMES = "with a name that a spec cannot contain"
_SMALLER = f"not among the {MOST_SPANS} largest"

#: Attributes of a class that are methods although they are not callable themselves, or not only.
_METHODS = (
    staticmethod,
    classmethod,
    property,
    functools.cached_property,
    functools.partialmethod,
    functools.singledispatchmethod,
)


@dataclass(frozen=True, slots=True)
class SelectedCallable:
    """A callable that gets a span."""

    module: str
    path: str
    #: What its owner, the class or module, has under the name, such as a ``staticmethod``.
    held: Any
    raw: Any
    signature: Signature
    owner: Any

    @property
    def target(self) -> str:
        return f"{self.module}:{self.path}"

    @property
    def name(self) -> str:
        return self.path.rpartition(".")[2]

    @property
    def function(self) -> Any:
        """The function that declares the parameters: that of a partial or single-dispatch method."""
        return getattr(self.raw, "func", self.raw)

    @property
    def bound_to(self) -> Literal["object", "class"] | None:
        """What the first parameter is, unless the caller passes it."""
        if not isinstance(self.owner, type) or isinstance(self.held, staticmethod):
            return None
        return "class" if isinstance(self.held, classmethod) else "object"


@dataclass(slots=True)
class Selection:
    """The callables that get a span, and the names of the others by reason."""

    callables: list[SelectedCallable] = field(default_factory=list)
    left_out: dict[str, list[str]] = field(default_factory=dict)

    def leave_out(self, reason: str, name: str) -> None:
        self.left_out.setdefault(reason, []).append(name)


def select_callables(targets: Iterable[ScaffoldTarget]) -> Selection:
    """Return the callables of targets that get a span. Raises ScaffoldError if a target has none."""
    selection = Selection()
    for target in targets:
        of_target = _select_in(target)
        if not of_target.callables:
            raise ScaffoldError(_nothing_selected(target, of_target))
        known = {each.target for each in selection.callables}
        selection.callables += [each for each in of_target.callables if each.target not in known]
        for reason, names in of_target.left_out.items():
            selection.left_out.setdefault(reason, []).extend(names)
    _keep_largest(selection)
    return selection


def _select_in(target: ScaffoldTarget) -> Selection:
    selection = Selection()
    if isinstance(target.value, types.ModuleType):
        for name, held, path in _in_module(target.value):
            _consider(selection, target.value, path, name, held)
    elif isinstance(target.value, type):
        for module, path, name, held in _in_class(target):
            _consider(selection, module, path, name, held)
    else:
        _select_named(selection, target)
    return selection


def _keep_largest(selection: Selection) -> None:
    """Keep the callables with the longest source if there are too many."""
    if len(selection.callables) <= MOST_SPANS:
        return
    largest = sorted(selection.callables, key=lambda each: _size(each.raw), reverse=True)
    for each in largest[MOST_SPANS:]:
        selection.leave_out(_SMALLER, each.path)
    kept = largest[:MOST_SPANS]
    selection.callables = [each for each in selection.callables if each in kept]


def _size(function: Any) -> int:
    tree = function_definition_of(function)
    return sum(1 for _ in ast.walk(tree)) if tree else 0


def _select_named(selection: Selection, target: ScaffoldTarget) -> None:
    """Select a callable that the target names. It gets a span whatever it is, if it can be hooked."""
    selected = _select(target.module, target.path, _owner(target.module, target.path))
    if isinstance(selected, str):
        raise ScaffoldError(
            f"{target.target} cannot have a span: it is {selected}. Name a Python function that uses it."
        )
    selection.callables.append(selected)


def _consider(selection: Selection, module: types.ModuleType, path: str, name: str, held: Any) -> None:
    """Select a callable, or note why it gets no span."""
    if name.startswith("_") and name != "__call__":
        return
    owner = _owner(module, path)
    shown = path if isinstance(owner, type) else name
    reason = reason_against(owner, name, held)
    if reason is None and not (name[0].isascii() and name.isidentifier()):
        reason = _NAMES
    if reason:
        selection.leave_out(reason, shown)
        return
    selected = _select(module, path, owner)
    if isinstance(selected, str):
        selection.leave_out(selected, shown)
    else:
        selection.callables.append(selected)


def _select(module: types.ModuleType, path: str, owner: Any) -> SelectedCallable | str:
    """Return the callable at a path, or why it cannot be hooked."""
    if is_immutable(owner):
        return _IN_C
    call = CallPlan(Target(module.__name__, path, Mark(module.__name__, 1, 1)), None)
    try:
        held = find_patch_point(module, call).value
        raw, _ = unwrap(held, call)
    except PatchError as error:
        if error.problem.code == "not-callable":
            return f"of type {type(held).__name__}, which is not callable"
        return error.problem.message
    return SelectedCallable(module.__name__, path, held, raw, read_signature(raw), owner)


def _in_module(module: types.ModuleType) -> Iterator[tuple[str, Any, str]]:
    """The public functions, and the methods of public classes, that a module defines, in the order of the source.

    Also functions in whose place a decorator has put an object, such as a task, and those that a function registers.
    """
    for name, value in list(vars(module).items()):
        held = defined_function(value, module.__name__, name) or value
        if name.startswith("_") or getattr(held, "__module__", None) != module.__name__:
            continue
        if not isinstance(held, type):
            if _is_method(held):
                yield name, held, name
                for inner in registered_functions(held):
                    yield inner, definitions(held, name, [inner])[0].sample(), f"{name}.{LOCALS}.{inner}"
        elif held.__qualname__ == name:  # otherwise it is an alias of a class that is listed itself
            yield from ((inner, value, f"{name}.{inner}") for inner, value in vars(held).items() if _is_method(value))


def _in_class(target: ScaffoldTarget) -> Iterator[tuple[types.ModuleType, str, str, Any]]:
    """The methods of a class and of its base classes in the same package, each where it is defined."""
    seen: set[str] = set()
    cls = target.value
    for base in cls.__mro__:
        if base.__module__.partition(".")[0] != cls.__module__.partition(".")[0] or base is object:
            continue
        module, path = (target.module, target.path) if base is cls else _definition_of_base(base, target)
        for name, held in list(vars(base).items()):
            if name not in seen and _is_method(held):
                yield module, f"{path}.{name}", name, held
            seen.add(name)


def _definition_of_base(base: type, target: ScaffoldTarget) -> tuple[types.ModuleType, str]:
    """Return where a base class can be hooked: at its own path, or at that of the class if its own leads nowhere."""
    module = sys.modules.get(base.__module__)
    if module is not None and object_at(module, base.__qualname__) is base:
        return module, base.__qualname__
    return target.module, target.path


def _is_method(held: Any) -> bool:
    """Whether an attribute is a function or method, not a plain value or a class."""
    return isinstance(held, _METHODS) or (inspect.isroutine(inspect.unwrap(held)) if callable(held) else False)


def _owner(module: types.ModuleType, path: str) -> Any:
    owner_path = path.rpartition(".")[0]
    return object_at(module, owner_path) if owner_path else module


def _nothing_selected(target: ScaffoldTarget, selection: Selection) -> str:
    """Explain why no callable is selected, and what to name instead."""
    if set(selection.left_out) <= {_IN_C} and (is_immutable(target.value) or selection.left_out):
        return (
            f"{target.target} cannot have spans: it is written in C, and its methods cannot be replaced. "
            "Name a Python class or function that uses it."
        )
    if selection.left_out:
        reasons = [f"{', '.join(names[:10])} ({reason})" for reason, names in selection.left_out.items()]
        help = "Name one of them to give it a span anyway."
        return f"no callable of {target.target} gets a span by default: {'; '.join(reasons)}. {help}"
    if isinstance(target.value, types.ModuleType):
        if any(isinstance(held, type) and held.__module__ == target.target for held in vars(target.value).values()):
            return f"{target.target} defines no public function, and its classes no public method. Name another module."
        sources = {
            str(held.__module__)
            for name, held in vars(target.value).items()
            if not name.startswith("_") and isinstance(held, (type, types.FunctionType))
        }
        modules = ", ".join(sorted(sources)[:5])
        help = f"Its names come from {modules}: name that instead." if modules else _modules_in(target.value)
        return f"{target.target} defines no public class or function. {help}"
    return f"{target.target} defines no public method. Name one of its base classes, or a single method."


def _modules_in(package: types.ModuleType) -> str:
    """The help for a package that defines nothing itself."""
    names = [each.name for each in pkgutil.iter_modules(getattr(package, "__path__", []))]
    found = [f"{package.__name__}.{name}" for name in names if not name.startswith("_")]
    return f"Name some of its modules: {' '.join(found[:10])}." if found else "Name another module."

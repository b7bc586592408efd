"""Which callables of a class or module are worth a span of their own, and which are not, and why."""

from __future__ import annotations

import ast
import contextlib
import functools
import inspect
import sys
import types
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from opentelemetry.instrumentation.declarative.diagnostics.problems import Mark
from opentelemetry.instrumentation.declarative.inspection.scaffold.lookup import Found, SketchError, at
from opentelemetry.instrumentation.declarative.inspection.scaffold.value_kinds import source_of
from opentelemetry.instrumentation.declarative.language.spec_model import Target
from opentelemetry.instrumentation.declarative.patching.target_loading import PatchError
from opentelemetry.instrumentation.declarative.patching.targets import find_patch_point, unwrap
from opentelemetry.instrumentation.declarative.plan.model import CallPlan
from opentelemetry.instrumentation.declarative.wrappers.signatures import Signature, read_signature

#: More spans than these in a first spec hide those that matter.
MOST_SPANS = 30

#: Why something is left out, as the spec says it.
_LITTLE = "they do little"
_PROPERTIES = "properties, which are read often"
_IN_C = "written in C"
_BLOCKS = "context managers: a span around the call would end before their block"
_ABSTRACT = "abstract: what implements them has a name of its own"
_PYDANTIC = "taken by pydantic when the class is made"
_NAME = "their names begin with a letter that a spec cannot hook"
_REST = f"not among the {MOST_SPANS} that do most"

_IMMUTABLE = 1 << 8  # Py_TPFLAGS_IMMUTABLETYPE

#: What a class holds of its behaviour, besides what can be called as it is.
_METHODS = (
    staticmethod,
    classmethod,
    property,
    functools.cached_property,
    functools.partialmethod,
    functools.singledispatchmethod,
)


@dataclass(frozen=True, slots=True)
class Callable:
    """A callable that gets a span: where it is, the raw function, and how it is called."""

    module: str
    path: str
    raw: Any
    signature: Signature
    #: The class or module that the attributes are named after.
    owner: Any
    #: What the first parameter is, where it is no value of the caller's.
    on: Literal["object", "class"] | None

    @property
    def target(self) -> str:
        return f"{self.module}:{self.path}"

    @property
    def name(self) -> str:
        return self.path.rpartition(".")[2]


@dataclass(slots=True)
class Selection:
    """The callables that get a span, and the names of the others by why they get none."""

    callables: list[Callable] = field(default_factory=list)
    left_out: dict[str, list[str]] = field(default_factory=dict)

    def leave_out(self, why: str, name: str) -> None:
        self.left_out.setdefault(why, []).append(name)


def selected(found: Found) -> Selection:
    """The callables behind a target. Raises SketchError where there are none."""
    selection = Selection()
    if isinstance(found.value, types.ModuleType):
        for name, held, path in _of_module(found.value):
            _consider(selection, found.value, path, name, held)
    elif isinstance(found.value, type):
        for module, path, name, held in _of_class(found):
            _consider(selection, module, path, name, held)
    else:
        _named(selection, found)
    _bound(selection)
    if not selection.callables:
        raise SketchError(_nothing(found, selection))
    return selection


def _bound(selection: Selection) -> None:
    """Of too many keep those whose source is longest."""
    if len(selection.callables) <= MOST_SPANS:
        return
    largest = sorted(selection.callables, key=lambda each: _size(each.raw), reverse=True)
    for each in largest[MOST_SPANS:]:
        selection.leave_out(_REST, each.path)
    kept = largest[:MOST_SPANS]
    selection.callables = [each for each in selection.callables if each in kept]


def _size(function: Any) -> int:
    tree = source_of(function)
    return sum(1 for _ in ast.walk(tree)) if tree else 0


def _named(selection: Selection, found: Found) -> None:
    """A callable that is named itself is taken whatever it is, as long as it can be hooked."""
    owner = _owner(found.module, found.path)
    taken = _callable(found.module, found.path, owner)
    if isinstance(taken, str):
        raise SketchError(f"{found.target} cannot get a span: it is {taken}. Name a Python function that uses it.")
    selection.callables.append(taken)


def _consider(selection: Selection, module: types.ModuleType, path: str, name: str, held: Any) -> None:
    """Take a callable, or note why it is not taken."""
    if name.startswith("_"):
        return
    shown = path if isinstance(_owner(module, path), type) else name
    why = _not_worth(held)
    if why is None and not (name[0].isascii() and name.isidentifier()):
        why = _NAME
    if why:
        selection.leave_out(why, shown)
        return
    taken = _callable(module, path, _owner(module, path))
    if isinstance(taken, str):
        selection.leave_out(taken, shown)
    elif _is_pydantics(taken.owner, name):
        selection.leave_out(_PYDANTIC, shown)
    else:
        selection.callables.append(taken)


def _callable(module: types.ModuleType, path: str, owner: Any) -> Callable | str:
    """The callable at a path, or why it cannot be hooked."""
    call = CallPlan(Target(module.__name__, path, Mark(module.__name__, 1, 1)), None)
    if isinstance(owner, type) and owner.__flags__ & _IMMUTABLE:
        return _IN_C
    try:
        held = find_patch_point(module, call).value
        raw, _ = unwrap(held, call)
        signature = read_signature(raw)
    except PatchError as error:
        return error.problem.message.removeprefix(f"{call.target} is ")
    on: Literal["object", "class"] | None = None
    if isinstance(owner, type) and not isinstance(held, staticmethod):
        on = "class" if isinstance(held, classmethod) else "object"
    return Callable(module.__name__, path, raw, signature, owner, on)


def _of_module(module: types.ModuleType) -> Iterator[tuple[str, Any, str]]:
    """The public functions and the methods of public classes that a module defines, in the order of the source."""
    for name, held in list(vars(module).items()):
        if name.startswith("_") or getattr(held, "__module__", None) != module.__name__:
            continue
        if not isinstance(held, type):
            if _is_own(held):
                yield name, held, name
        elif held.__qualname__ == name:  # else it is another name of a class that has its own
            yield from ((inner, value, f"{name}.{inner}") for inner, value in vars(held).items() if _is_own(value))


def _of_class(found: Found) -> Iterator[tuple[types.ModuleType, str, str, Any]]:
    """The methods of a class and of its bases from the same package, each where it is defined."""
    seen: set[str] = set()
    own = found.value
    for base in own.__mro__:
        if base.__module__.partition(".")[0] != own.__module__.partition(".")[0] or base is object:
            continue
        module, path = (found.module, found.path) if base is own else _where(base, found)
        for name, held in list(vars(base).items()):
            if name not in seen and _is_own(held):
                yield module, f"{path}.{name}", name, held
            seen.add(name)


def _where(base: type, found: Found) -> tuple[types.ModuleType, str]:
    """Where a base can be hooked: under its own name or, where it has none that leads to it, under the class's."""
    module = sys.modules.get(base.__module__)
    if module is not None and at(module, base.__qualname__) is base:
        return module, base.__qualname__
    return found.module, found.path


def _is_own(held: Any) -> bool:
    """Whether a class holds it as something of its behaviour: neither a plain value nor a class within it."""
    return isinstance(held, _METHODS) or (inspect.isroutine(inspect.unwrap(held)) if callable(held) else False)


def _owner(module: types.ModuleType, path: str) -> Any:
    way = path.rpartition(".")[0]
    return at(module, way) if way else module


def _not_worth(held: Any) -> str | None:
    if isinstance(held, property):
        return _PROPERTIES
    inner = inspect.unwrap(getattr(held, "__func__", None) or getattr(held, "func", None) or held)
    if getattr(held, "__isabstractmethod__", False):
        return _ABSTRACT
    outer = getattr(held, "__func__", held)
    if outer is not inner and _is_block(outer):
        return _BLOCKS
    return _LITTLE if _is_trivial(inner) else None


def _is_block(outer: Any) -> bool:
    """Whether it was made by `contextlib.contextmanager`, or its like for coroutines."""
    code = getattr(outer, "__code__", None)
    return code is not None and (code.co_filename, code.co_name) == (contextlib.__file__, "helper")


def _is_trivial(function: Any) -> bool:
    """Whether all that it does is to give or set one thing that is there, or nothing at all."""
    define = source_of(function)
    if define is None:
        return False
    body = [node for node in define.body if not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))]
    if not body:
        return True
    plain = not any(isinstance(node, (ast.Call, ast.Await, ast.Yield, ast.YieldFrom)) for node in ast.walk(body[0]))
    if isinstance(body[0], ast.Raise):
        return "NotImplementedError" in ast.unparse(body[0])
    given = isinstance(body[0], ast.Return) and isinstance(body[0].value, (ast.Attribute, ast.Constant, type(None)))
    return len(body) == 1 and plain and (given or isinstance(body[0], (ast.Pass, ast.Assign, ast.AnnAssign)))


def _is_pydantics(owner: Any, name: str) -> bool:
    decorators = getattr(owner, "__pydantic_decorators__", None)
    kinds = [getattr(decorators, kind, None) for kind in getattr(type(decorators), "__dataclass_fields__", ())]
    return any(name in kind for kind in kinds if isinstance(kind, dict))


def _nothing(found: Found, selection: Selection) -> str:
    """Why nothing is left, and what to name instead."""
    in_c = isinstance(found.value, type) and bool(found.value.__flags__ & _IMMUTABLE)
    if set(selection.left_out) <= {_IN_C} and (in_c or selection.left_out):
        return (
            f"{found.target} cannot get spans: it is written in C, and its methods can be neither read nor replaced. "
            "Name a Python class or function that uses it."
        )
    if selection.left_out:
        parts = [f"{', '.join(names[:10])} ({why})" for why, names in selection.left_out.items()]
        mend = "Name one of them to get a span all the same."
        return f"nothing in {found.target} is worth a span: {'; '.join(parts)}. {mend}"
    if isinstance(found.value, types.ModuleType):
        taken = {
            str(held.__module__)
            for name, held in vars(found.value).items()
            if not name.startswith("_") and isinstance(held, (type, types.FunctionType))
        }
        mend = f"It takes what it has from {', '.join(sorted(taken)[:5])}: name that." if taken else "Name another."
        return f"{found.target} defines no public class or function. {mend}"
    return f"{found.target} has no public method of its own. Name one of its bases, or one method."

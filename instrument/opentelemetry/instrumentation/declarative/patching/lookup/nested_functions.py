"""Finds functions that are defined within other functions: they have no name that leads to them, only a definition.

A path such as ``Cart.checkout.<locals>.total`` names the function that defines them, and their definition in it. They
are found in the code of that function, which has theirs among its constants.
"""

from __future__ import annotations

import inspect
import types
from collections import deque
from collections.abc import Iterator
from typing import Any

from opentelemetry.instrumentation.declarative.patching.lookup.kept_functions import held_by, is_searched
from opentelemetry.instrumentation.declarative.records import record
from opentelemetry.instrumentation.declarative.runtime.function_code.code_layers import uninstrumented

#: Stands in a path between a function and what it defines, as in `__qualname__`.
LOCALS = "<locals>"
#: How many objects are searched for the function that defines others.
_MOST_SEARCHED = 200
#: The code around that of a function with type parameters, from Python 3.12 on.
_TYPE_PARAMETERS = "<generic parameters of "


@record(frozen=True)
class NestedDefinition:
    """A definition in a function: the code of the functions that it makes, and the path of constants to it."""

    outer: types.FunctionType
    constants: tuple[int, ...]
    code: types.CodeType
    qualified_name: str

    def sample(self) -> types.FunctionType:
        """Return a function with the code. It has an empty closure and no defaults, and shows how it is called."""
        closure = tuple(types.CellType() for _ in self.code.co_freevars)
        sample = types.FunctionType(self.code, self.outer.__globals__, self.code.co_name, None, closure)
        sample.__qualname__, sample.__module__ = self.qualified_name, self.outer.__module__
        return sample


def split_path(path: str) -> tuple[str, list[str]] | None:
    """The path of the outermost function, and what follows within it; None if no function is in another one."""
    outer, is_nested, inner = path.partition(f".{LOCALS}.")
    return (outer, inner.split(".")) if is_nested else None


def definitions(value: Any, outer: str, inner: list[str]) -> list[NestedDefinition]:
    """Return the definitions in a function, which may be decorated: a name can have several, as in two branches."""
    qualified_name = f"{outer}.{LOCALS}.{'.'.join(inner)}"
    return [
        NestedDefinition(function, constants, code, qualified_name)
        for function in _functions_in(value, outer.rpartition(".")[2])
        for constants, code in _codes_at(uninstrumented(function).__code__, inner)
    ]


def nested_names(value: Any, outer: str) -> list[str]:
    """The paths of everything that a function defines, at any depth, after the ``<locals>`` of the function itself."""
    functions = _functions_in(value, outer.rpartition(".")[2])
    return list(dict.fromkeys(name for each in functions for name in _names_in(uninstrumented(each).__code__)))


def _functions_in(value: Any, name: str) -> list[types.FunctionType]:
    """The functions of this name that an object is or keeps, as one that a decorator has returned does."""
    found: list[types.FunctionType] = []
    seen: set[int] = set()
    waiting: deque[Any] = deque([value])
    while waiting and len(seen) < _MOST_SEARCHED:
        each = waiting.popleft()
        if id(each) in seen or not is_searched(each):
            continue
        seen.add(id(each))
        if type(each) is types.FunctionType and uninstrumented(each).__code__.co_name == name:
            found.append(each)
        waiting.extend(held_by(each))
    return found


def _codes_at(code: types.CodeType, path: list[str]) -> Iterator[tuple[tuple[int, ...], types.CodeType]]:
    """The codes of functions at a path, each with its place among the constants."""
    name, *rest = path
    for index, constant in _codes_in(code):
        if constant.co_name.startswith(_TYPE_PARAMETERS):
            yield from (((index, *more), found) for more, found in _codes_at(constant, path))
        elif constant.co_name == name:
            inner = rest[1:] if rest[:1] == [LOCALS] else rest
            if _is_function(constant) == (inner is rest and bool(rest)):
                continue  # it is a class where the path has a function, or the other way round
            if not inner:
                yield (index,), constant
            else:
                yield from (((index, *more), found) for more, found in _codes_at(constant, inner))


def _names_in(code: types.CodeType, prefix: str = "") -> Iterator[str]:
    for _, constant in _codes_in(code):
        name = constant.co_name
        if name.startswith(_TYPE_PARAMETERS):
            yield from _names_in(constant, prefix)
        elif name.isidentifier():
            if _is_function(constant):
                yield prefix + name
                yield from _names_in(constant, f"{prefix}{name}.{LOCALS}.")
            else:
                yield from _names_in(constant, f"{prefix}{name}.")


def _codes_in(code: types.CodeType) -> Iterator[tuple[int, types.CodeType]]:
    for index, constant in enumerate(code.co_consts):
        if isinstance(constant, types.CodeType):
            yield index, constant


def _is_function(code: types.CodeType) -> bool:
    """Whether code is that of a function, and not of a class."""
    return bool(code.co_flags & inspect.CO_OPTIMIZED)

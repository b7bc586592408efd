"""Finds the functions below the decorators of a callable, which others may hold, such as the route of a framework.

A decorator that registers a function may stand below others. The name then leads to the wrapper of the outermost
decorator, and calls from the registry do not run that wrapper. A call of the inner function is recorded unless it comes
from a call of the wrapper, which is recorded already: the wrapper is given a copy of the inner function to call, in its
closure. That holds in other threads and tasks as well, and costs nothing.
"""

from __future__ import annotations

import sys
import types
from collections.abc import Iterator
from dataclasses import field
from typing import Any

from opentelemetry.instrumentation.declarative.patching.lookup.targets import PatchPoint
from opentelemetry.instrumentation.declarative.plan.model import CallPlan
from opentelemetry.instrumentation.declarative.records import record
from opentelemetry.instrumentation.declarative.runtime.function_code.code_layers import (
    Closure,
    copy_function,
    uninstrumented,
)
from opentelemetry.instrumentation.declarative.wrappers.decorator_uses import use_of_wrapped

#: How many functions are searched for those that a wrapper calls.
_MOST_SEARCHED = 50


@record(frozen=True)
class Cell:
    """A free variable of a function that stands for another function. Functions are numbers: see ``Wrapping``."""

    function: int
    index: int
    holds: int


@record
class Wrapping:
    """A decorated function: the outermost wrapper is the first, and the others are those in the closures of these.

    No other object of ours may refer to the functions while references are counted.
    """

    functions: list[types.FunctionType]
    cells: list[Cell] = field(default_factory=list)
    #: The functions that the definition and its inner decorators have created, the innermost first; and the others
    #: through which these are called.
    definitions: list[int] = field(default_factory=list)
    helpers: list[int] = field(default_factory=list)


def read_wrapping(call: CallPlan, point: PatchPoint, raw: types.FunctionType) -> Wrapping | None:
    """Return how a function wraps the functions of its definition; None if it has none in its closure."""
    if raw.__closure__ is None:
        return None
    wrapping = Wrapping([raw])
    held = [*_function_cells(wrapping)]
    names = names_of_definition(call, point)
    definitions = {
        number
        for number, each in enumerate(wrapping.functions)
        if number and (each.__module__, each.__qualname__) in names
    }
    leading = {*definitions}
    while more := {function for function, _, holds in held if holds in leading} - leading - {0}:
        leading |= more
    if not definitions:
        return None
    wrapping.cells += [Cell(*cell) for cell in held if cell[2] in leading and (cell[0] in leading or not cell[0])]
    wrapping.definitions = sorted(definitions, reverse=True)
    wrapping.helpers = sorted(leading - definitions)
    return wrapping


def calls_through_closure(wrapping: Wrapping) -> bool:
    """Whether a wrapper calls the functions below it through its closure, and does nothing else with them."""
    functions, called = wrapping.functions, {0}
    uses = {cell: use_of_wrapped(functions[cell.function], cell.index) for cell in wrapping.cells}
    calling = [cell for cell, use in uses.items() if use == "calls"]
    while more := {cell.holds for cell in calling if cell.function in called} - called:
        called |= more
    is_plain = all(uninstrumented(functions[helper]) is functions[helper] for helper in wrapping.helpers)
    return is_plain and "other" not in uses.values() and called.issuperset(wrapping.definitions)


def _function_cells(wrapping: Wrapping) -> Iterator[tuple[int, int, int]]:
    """The free variables that stand for functions, which are added: function, index, and what it stands for."""
    numbers = {id(wrapping.functions[0]): 0}
    function = 0
    while function < len(wrapping.functions) < _MOST_SEARCHED:
        for index, cell in enumerate(wrapping.functions[function].__closure__ or ()):
            try:
                is_function = type(cell.cell_contents) is types.FunctionType
            except ValueError:  # the cell is empty
                continue
            if is_function:
                key = id(cell.cell_contents)
                if key not in numbers:
                    numbers[key] = len(wrapping.functions)
                    wrapping.functions.append(cell.cell_contents)
                yield function, index, numbers[key]
        function += 1


def names_of_definition(call: CallPlan, point: PatchPoint) -> set[tuple[str, str]]:
    """Module and qualified name of what is defined where a callable is bound, or inherited from."""
    names = {(call.target.module, call.target.path)}
    if isinstance(point.owner, types.ModuleType):
        names.add((point.owner.__name__, point.name))
    for owner in point.owner.__mro__ if isinstance(point.owner, type) else ():
        if point.name in vars(owner):
            names.add((owner.__module__, f"{owner.__qualname__}.{point.name}"))
    return names


def references(items: list[Any], number: int) -> int:
    """How many references there are to an object of a list."""
    return sys.getrefcount(items[number])


#: The references to an object that a list holds, and nothing else.
OWN_REFERENCES = references([object()], 0)


def is_held(wrapping: Wrapping) -> bool:
    """Whether anything else than its wrappers holds a function below a decorator, or a cell of it."""
    functions = wrapping.functions
    for number in (*wrapping.definitions, *wrapping.helpers):
        if references(functions, number) > OWN_REFERENCES + _held_by_wrappers(functions, number):
            return True
    cells = [(functions[cell.function].__closure__ or ())[cell.index] for cell in wrapping.cells]
    unique = list({id(cell): cell for cell in cells}.values())
    shared = [sum(cell is each for function in functions for cell in function.__closure__ or ()) for each in unique]
    del cells
    return any(references(unique, number) > OWN_REFERENCES + count for number, count in enumerate(shared))


def _held_by_wrappers(functions: list[types.FunctionType], number: int) -> int:
    """How often functions hold another one: in a cell, as an attribute such as `__wrapped__`, and as a default."""
    key = id(functions[number])
    cells = {id(cell): cell for function in functions for cell in function.__closure__ or ()}
    return sum(_holds(cell, key) for cell in cells.values()) + sum(
        id(value) == key
        for function in functions
        for group in (vars(function), function.__kwdefaults__ or {}, dict(enumerate(function.__defaults__ or ())))
        for value in group.values()
    )


def _holds(cell: types.CellType, key: int) -> bool:
    try:
        return id(cell.cell_contents) == key
    except ValueError:
        return False


class StandIns:
    """Closures with which the copy of a wrapper, and of what it calls, calls copies of the functions below it."""

    def __init__(self, wrapping: Wrapping) -> None:
        self._wrapping = wrapping
        self._cells = {(each.function, each.index): types.CellType() for each in wrapping.cells}
        for number in wrapping.helpers:
            function = wrapping.functions[number]
            self.add(number, copy_function(function, self.closure(number)))

    def closure(self, number: int) -> Closure:
        """The closure of a function, with new cells for the functions in it."""
        closure = self._wrapping.functions[number].__closure__ or ()
        return tuple(self._cells.get((number, index), cell) for index, cell in enumerate(closure))

    def add(self, number: int, copy: types.FunctionType | None) -> None:
        """Let the copies call the copy of a function; None for the function itself."""
        function = self._wrapping.functions[number]
        copy = function if copy is None else _like(copy, function)
        for cell in self._wrapping.cells:
            if cell.holds == number:
                self._cells[cell.function, cell.index].cell_contents = copy


def _like(copy: types.FunctionType, function: types.FunctionType) -> types.FunctionType:
    """A copy of a function with the same attributes, which the two share."""
    copy.__dict__, copy.__doc__, copy.__annotations__ = vars(function), function.__doc__, function.__annotations__
    if sys.version_info >= (3, 12):
        copy.__type_params__ = function.__type_params__
    return copy

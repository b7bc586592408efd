"""What an ``__init__`` sets on its instance, read from its source: many classes name their fields nowhere else."""

from __future__ import annotations

import ast
import builtins
import inspect
import textwrap
import types
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from opentelemetry.instrumentation.declarative.inspection.readable.annotations import read_type, returned
from opentelemetry.instrumentation.declarative.inspection.readable.namespaces import Place, names_of
from opentelemetry.instrumentation.declarative.inspection.readable.types import NONE, UNKNOWN, Type, of_class, union

#: What gives the type of a name below a value.
Lookup = Callable[[Type, str], Type]

_COMPREHENSIONS: dict[type[ast.expr], type] = {
    ast.List: list,
    ast.ListComp: list,
    ast.Dict: dict,
    ast.DictComp: dict,
    ast.Set: set,
    ast.SetComp: set,
    ast.Tuple: tuple,
    ast.JoinedStr: str,
    ast.Compare: bool,
}


def assigned(
    function: types.FunctionType, cls: type, variables: Mapping[Any, Type], member: Lookup
) -> Iterator[tuple[str, Type]]:
    """The names that a method sets on its first parameter, each with the type that can be seen there."""
    definition = _definition(function)
    if definition is None or not (definition.args.posonlyargs or definition.args.args):
        return
    first = (*definition.args.posonlyargs, *definition.args.args)[0].arg
    closure = _closure(function)
    place = Place({**names_of(function.__module__), **function.__globals__, **closure}, cls, variables)
    scope = _Scope(place, first, _parameters(function, place), {}, member)
    set_: dict[str, list[Type]] = {}
    said: dict[str, Type] = {}
    for node in _statements(definition.body):
        for target, value, annotation in _targets(node):
            if isinstance(target, ast.Name):
                scope.parameters[target.id] = (
                    read_type(ast.unparse(annotation), place) if annotation else scope.infer(value)
                )
            elif isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name) and target.value.id == first:
                name = target.attr
                if annotation is not None:
                    said[name] = read_type(ast.unparse(annotation), place)
                set_.setdefault(name, []).append(scope.infer(value))
                scope.fields[name] = said.get(name) or union(set_[name])
    for name, type_ in scope.fields.items():
        # That it is None at first tells nothing of what it is later.
        yield name, UNKNOWN if type_ is NONE and name not in said else type_


def _definition(function: types.FunctionType) -> ast.FunctionDef | ast.AsyncFunctionDef | None:
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    except (OSError, TypeError, SyntaxError, ValueError):
        return None  # no source, as for what a dataclass generates
    found = tree.body[0] if tree.body else None
    return found if isinstance(found, (ast.FunctionDef, ast.AsyncFunctionDef)) else None


def _closure(function: types.FunctionType) -> dict[str, Any]:
    found = {}
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        try:
            found[name] = cell.cell_contents
        except ValueError:  # empty still
            continue
    return found


def _parameters(function: types.FunctionType, place: Place) -> dict[str, Type]:
    hints = function.__annotations__
    names = function.__code__.co_varnames[: function.__code__.co_argcount + function.__code__.co_kwonlyargcount]
    return {name: read_type(hints[name], place) if name in hints else UNKNOWN for name in names}


def _statements(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements in order, those in branches among them; what nested functions and classes do is theirs."""
    for node in body:
        yield node
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            continue
        for part in ("body", "orelse", "finalbody"):
            yield from _statements(getattr(node, part, []))
        for handler in (*getattr(node, "handlers", ()), *getattr(node, "cases", ())):
            yield from _statements(handler.body)


def _targets(node: ast.stmt) -> Iterator[tuple[ast.expr, ast.expr | None, ast.expr | None]]:
    """What a statement sets: the target, its value, and its annotation where there is one."""
    if isinstance(node, ast.AnnAssign):
        yield node.target, node.value, node.annotation
    elif isinstance(node, ast.Assign):
        for target in node.targets:
            if isinstance(target, (ast.Tuple, ast.List)):
                values = node.value.elts if isinstance(node.value, (ast.Tuple, ast.List)) else []
                same = len(values) == len(target.elts)
                for index, each in enumerate(target.elts):
                    yield each, values[index] if same else None, None
            else:
                yield target, node.value, None
    elif isinstance(node, (ast.For, ast.AsyncFor)):
        yield node.target, None, None
    elif isinstance(node, (ast.With, ast.AsyncWith)):
        for item in node.items:
            if item.optional_vars is not None:
                yield item.optional_vars, None, None


@dataclass(slots=True)
class _Scope:
    """What the expressions of a method are made of."""

    place: Place
    first: str
    parameters: dict[str, Type]
    fields: dict[str, Type]
    member: Lookup

    def infer(self, node: ast.expr | None) -> Type:
        """The type of an expression, as far as it shows."""
        if isinstance(node, ast.Constant):
            return NONE if node.value is None else of_class(type(node.value))
        if isinstance(node, ast.IfExp):
            return union([self._tested(node.test, node.body), self.infer(node.orelse)])
        if isinstance(node, ast.BoolOp):
            *first, last = map(self.infer, node.values)
            return union([*(each.plain for each in first), last]) if isinstance(node.op, ast.Or) else UNKNOWN
        if isinstance(node, ast.UnaryOp):
            return of_class(bool) if isinstance(node.op, ast.Not) else self.infer(node.operand)
        if isinstance(node, ast.Name):
            return self._named(node.id)
        if isinstance(node, ast.Attribute):
            return self._attribute(node)
        if isinstance(node, ast.Await):
            return self._called(node.value, awaited=True) if isinstance(node.value, ast.Call) else UNKNOWN
        if isinstance(node, ast.Call):
            return self._called(node, awaited=False)
        made = _COMPREHENSIONS.get(type(node)) if node is not None else None
        return of_class(made) if made else UNKNOWN

    def _tested(self, test: ast.expr, body: ast.expr) -> Type:
        """The type where a condition holds: with ``x if x is not None else …`` it is that of an x that is there."""
        found = self.infer(body)
        same = ast.dump(body)
        there = ast.dump(test) == same or (
            isinstance(test, ast.Compare) and isinstance(test.ops[0], ast.IsNot) and ast.dump(test.left) == same
        )
        return found.plain if there else found

    def _named(self, name: str) -> Type:
        if name == self.first and self.place.owner is not None:
            return of_class(self.place.owner)
        if name in self.parameters:
            return self.parameters[name]
        value = None if name.startswith("_") else self.place.names.get(name)  # a sentinel tells nothing
        simple = isinstance(value, (str, int, float, bool, bytes, list, dict, set, tuple))
        return of_class(type(value)) if simple else UNKNOWN

    def _attribute(self, node: ast.Attribute) -> Type:
        if isinstance(node.value, ast.Name) and node.value.id == self.first:
            return self.fields.get(node.attr, UNKNOWN)
        found = self._object(node)
        if found is not None and (hasattr(type(found), "name") and hasattr(type(found), "value")):
            return of_class(type(found))  # a member of an enumeration
        return self.member(self.infer(node.value), node.attr)

    def _called(self, node: ast.Call, *, awaited: bool) -> Type:
        function = self._object(node.func)
        if isinstance(function, type):
            return UNKNOWN if function is type else of_class(function)
        if function is None and isinstance(node.func, ast.Attribute):
            for choice in self.infer(node.func.value).choices:
                function = inspect.getattr_static(choice.cls, node.func.attr, None) if choice.cls else None
        owner = self._object(node.func.value) if isinstance(node.func, ast.Attribute) else None
        function = getattr(function, "__func__", function)
        if not isinstance(function, types.FunctionType) or inspect.iscoroutinefunction(function) != awaited:
            return UNKNOWN
        return returned(function, Place({}, owner if isinstance(owner, type) else None))

    def _object(self, node: ast.expr) -> Any:
        """The object of the module that an expression names: a class, a function, a constant; None if none."""
        if isinstance(node, ast.Name):
            if node.id in self.parameters or node.id == self.first:
                return None
            return self.place.names.get(node.id, vars(builtins).get(node.id))
        if isinstance(node, ast.Attribute):
            owner = self._object(node.value)
            return None if owner is None else inspect.getattr_static(owner, node.attr, None)
        return None

"""The attributes that a method such as ``__init__`` assigns, from its source: many classes do not declare them."""

from __future__ import annotations

import ast
import builtins
import inspect
import types
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from opentelemetry.instrumentation.declarative.inspection.readable.annotations import read_type, return_type
from opentelemetry.instrumentation.declarative.inspection.readable.namespaces import Namespace, module_names
from opentelemetry.instrumentation.declarative.inspection.readable.types import NONE, UNKNOWN, Type, of_class, union
from opentelemetry.instrumentation.declarative.inspection.sources import function_definition_of

#: Returns the type of an attribute of a value.
MemberLookup = Callable[[Type, str], Type]

_LITERAL_TYPES: dict[type[ast.expr], type] = {
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


def assigned_attributes(
    function: types.FunctionType, cls: type, variables: Mapping[Any, Type], member: MemberLookup
) -> Iterator[tuple[str, Type]]:
    """The attributes that a method assigns to its first parameter, each with its type as inferred from the source."""
    definition = function_definition_of(function)
    if definition is None or not (definition.args.posonlyargs or definition.args.args):
        return
    first = (*definition.args.posonlyargs, *definition.args.args)[0].arg
    closure = _closure(function)
    namespace = Namespace({**module_names(function.__module__), **function.__globals__, **closure}, cls, variables)
    scope = _AssignmentInference(namespace, first, _parameters(function, namespace), {}, member)
    inferred: dict[str, list[Type]] = {}
    annotated: dict[str, Type] = {}
    for node in _statements(definition.body):
        for target, value, annotation in _targets(node):
            if isinstance(target, ast.Name):
                scope.parameters[target.id] = (
                    read_type(ast.unparse(annotation), namespace) if annotation else scope.infer(value)
                )
            elif isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name) and target.value.id == first:
                name = target.attr
                if annotation is not None:
                    annotated[name] = read_type(ast.unparse(annotation), namespace)
                inferred.setdefault(name, []).append(scope.infer(value))
                scope.fields[name] = annotated.get(name) or union(inferred[name])
    for name, type_ in scope.fields.items():
        # An initial None says nothing about later values.
        yield name, UNKNOWN if type_ is NONE and name not in annotated else type_


def _closure(function: types.FunctionType) -> dict[str, Any]:
    found = {}
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        try:
            found[name] = cell.cell_contents
        except ValueError:  # the cell is still empty
            continue
    return found


def _parameters(function: types.FunctionType, namespace: Namespace) -> dict[str, Type]:
    hints = function.__annotations__
    names = function.__code__.co_varnames[: function.__code__.co_argcount + function.__code__.co_kwonlyargcount]
    return {name: read_type(hints[name], namespace) if name in hints else UNKNOWN for name in names}


def _statements(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """All statements in order, including those in branches, without those in nested functions and classes."""
    for node in body:
        yield node
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            continue
        for part in ("body", "orelse", "finalbody"):
            yield from _statements(getattr(node, part, []))
        for handler in (*getattr(node, "handlers", ()), *getattr(node, "cases", ())):
            yield from _statements(handler.body)


def _targets(node: ast.stmt) -> Iterator[tuple[ast.expr, ast.expr | None, ast.expr | None]]:
    """The assignments of a statement: target, value, and annotation, the last two None if unknown or absent."""
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
class _AssignmentInference:
    """Infers the types of the expressions of a method."""

    namespace: Namespace
    first: str
    parameters: dict[str, Type]
    fields: dict[str, Type]
    member: MemberLookup

    def infer(self, node: ast.expr | None) -> Type:
        """Return the type of an expression, UNKNOWN if it cannot be inferred."""
        if isinstance(node, ast.Constant):
            return NONE if node.value is None else of_class(type(node.value))
        if isinstance(node, ast.IfExp):
            return union([self._narrowed(node.test, node.body), self.infer(node.orelse)])
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
        made = _LITERAL_TYPES.get(type(node)) if node is not None else None
        return of_class(made) if made else UNKNOWN

    def _narrowed(self, test: ast.expr, body: ast.expr) -> Type:
        """Return the type of an expression where a condition holds: ``x if x is not None else …`` removes None."""
        found = self.infer(body)
        same = ast.dump(body)
        is_checked = ast.dump(test) == same or (
            isinstance(test, ast.Compare) and isinstance(test.ops[0], ast.IsNot) and ast.dump(test.left) == same
        )
        return found.plain if is_checked else found

    def _named(self, name: str) -> Type:
        if name == self.first and self.namespace.owner is not None:
            return of_class(self.namespace.owner)
        if name in self.parameters:
            return self.parameters[name]
        value = None if name.startswith("_") else self.namespace.names.get(name)  # probably a sentinel
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
        return return_type(function, Namespace({}, owner if isinstance(owner, type) else None))

    def _object(self, node: ast.expr) -> Any:
        """Return the global object that an expression names, such as a class or function; None if there is none."""
        if isinstance(node, ast.Name):
            if node.id in self.parameters or node.id == self.first:
                return None
            return self.namespace.names.get(node.id, vars(builtins).get(node.id))
        if isinstance(node, ast.Attribute):
            owner = self._object(node.value)
            return None if owner is None else inspect.getattr_static(owner, node.attr, None)
        return None

"""Finds paths in an expression that no call can ever have, according to the types in the library's annotations."""

from __future__ import annotations

import ast
import collections.abc
import dataclasses
import difflib
import inspect
import re
import types
import typing
from collections.abc import Collection, Sequence
from typing import NamedTuple

from opentelemetry.instrumentation.declarative.diagnostics.problems import Mark, closest
from opentelemetry.instrumentation.declarative.expressions import Expression
from opentelemetry.instrumentation.declarative.expressions.functions import FUNCTIONS
from opentelemetry.instrumentation.declarative.inspection.readable.callable_types import CallableTypes
from opentelemetry.instrumentation.declarative.inspection.readable.expression_types import (
    expression_type,
    item_type,
    step_name,
)
from opentelemetry.instrumentation.declarative.inspection.readable.members import members
from opentelemetry.instrumentation.declarative.inspection.readable.types import Type
from opentelemetry.instrumentation.declarative.lint.assigned_names import may_be_assigned
from opentelemetry.instrumentation.declarative.lint.closed_types import is_closed, may_have, with_subclasses

#: How other languages read the length of a collection.
_LENGTHS = frozenset({"length", "size", "count"})
_PATH = re.compile(r"[a-z_]\w*(\.[a-z_]\w*)+")
#: How similar a name must be to that of an attribute to be a misspelling, from 0 to 1.
_ALMOST = 0.8
#: The modules of bases whose objects have no attributes of their own.
_WITHOUT_ATTRIBUTES = frozenset({"builtins", "abc", "typing"})
_METHODS = (types.FunctionType, staticmethod, classmethod, types.MethodDescriptorType)


class UnreadablePath(NamedTuple):
    """A path that never has a value, where it is in the spec, and the path that was probably intended."""

    path: str
    mark: Mark
    suggestion: str | None
    why: str = "never exists"
    help: str = "see what can be read with `instrument explain`"
    #: Whether the expression as a whole never has a value because of it.
    decides: bool = True
    #: What follows, if not that the expression is missing.
    effect: str | None = None
    #: Whether it is a name that the callable does not have at all.
    is_absent: bool = False


def unreadable_path(
    expression: Expression, types_: CallableTypes, *, given: Collection[str] = (), absent: Collection[str] = ()
) -> UnreadablePath | None:
    """Return the path because of which an expression never has a value on a callable, or None if it may have one.

    ``types_`` are those of the names on the callable. ``given`` are names of the spec whose types are not known, which
    take precedence over parameters. The callable lacks the ``absent`` names.

    Only certain cases are reported: types that list all their attributes (slots, dataclasses, attrs, pydantic without
    extra fields, named tuples, typed dicts), and methods. Of other classes, a name is reported that nothing in their
    packages sets, if it is almost that of an attribute. A class with a ``__getattr__``, or with a loaded subclass
    that may have the attribute, is never reported; neither is a path with an alternative, as in ``a.b or c``.
    """
    search = _Search(expression, types_, frozenset(given), frozenset(absent))
    found = search.missing(expression.tree)
    if found is None and (found := search.anywhere(expression.tree)) is not None:
        return found._replace(decides=isinstance(expression.tree, ast.Compare) and len(expression.tree.ops) == 1)
    return found


def is_readable_path(text: object, types_: CallableTypes) -> bool:
    """Whether a text is a path from a parameter or ``result`` that may exist."""
    if not isinstance(text, str) or not _PATH.fullmatch(text):
        return False
    root, *steps = text.split(".")
    if root != "result" and root not in types_.parameters:
        return False
    for index, step in enumerate(steps):
        tree = ast.parse(".".join([root, *steps[:index]]), mode="eval").body
        type_ = expression_type(tree, types_)
        if type_.known and not all(step in members(choice) for choice in type_.choices):
            return False
    return True


_METHOD = "is a method, which is not called"
_METHOD_EFFECT = "reads the method itself"
#: The most names that are listed in a help.
_MOST_LISTED = 12


class _Search:
    def __init__(
        self, expression: Expression, types_: CallableTypes, given: frozenset[str], absent: frozenset[str]
    ) -> None:
        self.expression = expression
        self.types = types_
        self.given = given
        self.absent = absent

    def missing(self, node: ast.expr) -> UnreadablePath | None:
        """Return a path that never exists and without which the node has no value."""
        if isinstance(node, ast.Name):
            mark = self.expression.name_marks.get(node.id, self.expression.mark)
            return UnreadablePath(node.id, mark, None, is_absent=True) if node.id in self.absent else None
        if isinstance(node, (ast.Attribute, ast.Subscript)):
            return self._missing_step(node)
        if isinstance(node, ast.BoolOp):
            results = [self.missing(value) for value in node.values]
            # `a and b` is None if a is; `a or b` only if both are.
            return results[0] if isinstance(node.op, ast.And) else _if_all(results)
        if isinstance(node, ast.IfExp):
            body, other = self.missing(node.body), self.missing(node.orelse)
            return body if other or _is_none(node.orelse) else None
        if isinstance(node, ast.ListComp):
            return self._missing_in_items(node)
        if isinstance(node, ast.BinOp):
            return self.missing(node.left) or self.missing(node.right)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.args:
            function = FUNCTIONS.get(node.func.id)  # nothing is known about the functions that a spec adds
            if function is None or not function.none_if_none:
                return None
            return _if_all([self.missing(each) for each in (node.args if function.variadic else node.args[:1])])
        return None

    def _missing_in_items(self, node: ast.ListComp) -> UnreadablePath | None:
        """Return a path that is missing in every item, or because of which there are no items."""
        generator = node.generators[0]
        before = self.missing(generator.iter)
        if before is not None or not isinstance(generator.target, ast.Name):
            return before
        name = generator.target.id
        items = item_type(expression_type(generator.iter, self.types, self.given))
        types_ = dataclasses.replace(self.types, parameters={**self.types.parameters, name: items})
        inner = _Search(self.expression, types_, self.given - {name}, self.absent - {name})
        return inner.missing(node.elt) or next(filter(None, map(inner.condition, generator.ifs)), None)

    def condition(self, node: ast.expr) -> UnreadablePath | None:
        """Return a path that never exists in a condition of a comprehension."""
        found = self.missing(node) or self.anywhere(node)
        return None if found is None else found._replace(decides=False)

    def anywhere(self, node: ast.AST) -> UnreadablePath | None:
        """Return a path that never exists and has no alternative, wherever it is in an expression."""
        if isinstance(node, (ast.Attribute, ast.Subscript)):
            return self._missing_step(node)
        if isinstance(node, ast.IfExp):
            return self.missing(node)
        if isinstance(node, ast.ListComp):
            return self.anywhere(node.generators[0].iter) or self._missing_in_items(node)
        if isinstance(node, ast.Compare) and any(map(_is_none, node.comparators)):
            return None  # asks whether it exists
        results = [self.anywhere(child) for child in ast.iter_child_nodes(node) if isinstance(child, ast.expr)]
        if isinstance(node, ast.BoolOp) and isinstance(node.op, ast.Or) and not all(results):
            return None
        return next(filter(None, results), None)

    def _missing_step(self, node: ast.Attribute | ast.Subscript) -> UnreadablePath | None:
        before = self.missing(node.value)
        if before is not None:
            return before
        type_ = expression_type(node.value, self.types, self.given)
        name = step_name(node)
        if name is None or not type_.known:
            return None
        if isinstance(node, ast.Attribute) and all(_has_method(choice, name) for choice in type_.choices):
            help = "read a field, or hook the method: `result` is what it returns"
            suggestion = f"{name}({_source(node.value)})" if name in FUNCTIONS else None
            return UnreadablePath(_source(node), self._mark(node), suggestion, _METHOD, help, effect=_METHOD_EFFECT)
        if not all(_never_has(choice, name, key=isinstance(node, ast.Subscript)) for choice in type_.choices):
            return self._probably_misspelt(node, type_, name)
        if isinstance(node, ast.Subscript) and all(name in members(choice) for choice in type_.choices):
            path = f"{_source(node.value)}.{name}"
            return UnreadablePath(_source(node), self._mark(node), path)
        if name in _LENGTHS and all(choice.cls is None or hasattr(choice.cls, "__len__") for choice in type_.choices):
            return UnreadablePath(_source(node), self._mark(node), f"len({_source(node.value)})")
        similar = closest(name, [member for choice in type_.choices for member in members(choice)])
        suggestion = _sibling(node, similar) if similar else _of_each_item(node, type_, name)
        found = UnreadablePath(_source(node), self._mark(node), suggestion)
        return found._replace(help=_listed(type_) or found.help)

    def _probably_misspelt(self, node: ast.Attribute | ast.Subscript, type_: Type, name: str) -> UnreadablePath | None:
        """Return an attribute that nothing sets, and whose name is almost that of another one."""
        choices = [(choice.cls, [*members(choice)]) for choice in type_.choices]
        if isinstance(node, ast.Subscript) or not all(cls and _is_never_set(cls, name) for cls, _ in choices):
            return None
        known = [member for _, names in choices for member in names if member[0] == name[0]]
        similar = difflib.get_close_matches(name, known, n=1, cutoff=_ALMOST)
        if not similar:
            return None
        why = f"is never set in {type_.choices[0].cls.__module__.partition('.')[0]}" if type_.choices[0].cls else ""
        return UnreadablePath(_source(node), self._mark(node), _sibling(node, similar[0]), why)

    def _mark(self, node: ast.expr) -> Mark:
        text, mark = self.expression.text, self.expression.mark
        if "\n" in text or "\r" in text:
            return mark
        line = text.strip().encode()  # the offsets of the tree are in UTF-8
        start, end = len(line[: node.col_offset].decode()), len(line[: node.end_col_offset].decode())
        return mark.at(start + len(text) - len(text.lstrip()), end - start)


def _of_each_item(node: ast.Attribute | ast.Subscript, type_: Type, name: str) -> str | None:
    """The path of a list whose items have the attribute."""
    is_list = isinstance(node, ast.Attribute) and all(choice.cls in (list, tuple) for choice in type_.choices)
    has_it = is_list and all(name in members(choice) for choice in item_type(type_).choices)
    return f"[item.{name} for item in {_source(node.value)}]" if has_it else None


def _listed(type_: Type) -> str | None:
    """The help that lists what can be read from a value; None if that is too much."""
    names = [
        name
        for name in dict.fromkeys(name for choice in type_.choices for name in members(choice))
        if not name.startswith("_") and not all(_has_method(choice, name) for choice in type_.choices)
    ]
    return f"there are: {', '.join(names)}" if 0 < len(names) <= _MOST_LISTED else None


def _if_all(results: Sequence[UnreadablePath | None]) -> UnreadablePath | None:
    """The first of several alternatives if all are missing; one that exists on the callable tells more."""
    return min(filter(None, results), key=lambda found: found.is_absent) if all(results) else None


def _sibling(node: ast.Attribute | ast.Subscript, name: str) -> str:
    """The path with another name as its last step."""
    owner = _source(node.value)
    return f"{owner}.{name}" if isinstance(node, ast.Attribute) else f'{owner}["{name}"]'


def _source(node: ast.expr) -> str:
    """A path as it is usually written, with double quotes."""
    if isinstance(node, ast.Attribute):
        return f"{_source(node.value)}.{node.attr}"
    name = step_name(node) if isinstance(node, ast.Subscript) else None
    if isinstance(node, ast.Subscript) and name is not None and '"' not in name:
        return f'{_source(node.value)}["{name}"]'
    return ast.unparse(node)


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _never_has(type_: Type, name: str, *, key: bool) -> bool:
    """Whether no value of a type has an attribute, or with ``key`` a key, of this name."""
    cls = type_.cls
    if cls is None:
        return False
    if typing.is_typeddict(cls):
        return name not in members(type_)
    if key:
        return is_closed(cls) and not hasattr(cls, "__getitem__") and not hasattr(cls, "get")
    if not is_closed(cls):
        return False
    return not any(may_have(each, name) for each in with_subclasses(cls)) and not may_be_assigned(cls, name)


def _is_never_set(cls: type, name: str) -> bool:
    """Whether no code that is loaded mentions an attribute of a class, or of its subclasses, that has others."""
    classes = [*with_subclasses(cls)]
    if any(getattr(each, "_is_protocol", False) or issubclass(each, (type, types.ModuleType)) for each in classes):
        return False
    bases = {base for each in classes for base in each.__mro__ if base.__module__ not in _WITHOUT_ATTRIBUTES}
    return (
        cls.__dictoffset__ != 0
        and not issubclass(cls, collections.abc.Mapping)
        and not any(may_have(each, name) for each in classes)
        and not any(may_be_assigned(base, name) for base in bases)
    )


def _has_method(type_: Type, name: str) -> bool:
    """Whether an attribute of a class is a method that is not a property."""
    if type_.cls is None:
        return False
    value = inspect.getattr_static(type_.cls, name, None)
    return isinstance(value, _METHODS) and not _has_annotation(type_.cls, name)


def _has_annotation(cls: type, name: str) -> bool:
    return any(name in vars(base).get("__annotations__", ()) for base in cls.__mro__)

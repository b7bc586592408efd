"""Whether an expression can never give a value, whatever the call: only where that is certain."""

from __future__ import annotations

import ast
import collections.abc
import dataclasses
import inspect
import linecache
import re
import sys
import types
import typing
from collections.abc import Collection, Iterator, Mapping
from typing import Any, NamedTuple

from opentelemetry.instrumentation.declarative.diagnostics.problems import Mark, closest
from opentelemetry.instrumentation.declarative.expressions import Expression
from opentelemetry.instrumentation.declarative.inspection.readable.callable_types import Readable, readable_of
from opentelemetry.instrumentation.declarative.inspection.readable.expression_types import name_of, type_of
from opentelemetry.instrumentation.declarative.inspection.readable.members import members
from opentelemetry.instrumentation.declarative.inspection.readable.types import Type


class Never(NamedTuple):
    """A path that no call has: the path, where it stands, and what was probably meant."""

    path: str
    mark: Mark
    near: str | None


def never_readable(
    expression: Expression, function: Any, owner: type | None = None, *, held: Any = None, given: Collection[str] = ()
) -> Never | None:
    """The path for which the expression never has a value when this callable is hooked; None where it may have one.

    ``function`` is the raw callable, ``owner`` the class in which it hangs and ``held`` what that holds. ``given``: the
    names that the spec gives, which hide parameters. It is told only of types that are closed: slots, dataclasses,
    attrs, pydantic without extra fields, named tuples, typed dicts. What has a `__getattr__`, or a loaded subclass
    that might have the name, may always be read; and so may what stands beside something else, as in ``a.b or c``.
    """
    readable = readable_of(function, owner, held)
    return _Looking(expression, readable, frozenset(given)).missing(expression.tree)


class _Looking:
    def __init__(self, expression: Expression, readable: Readable, given: frozenset[str]) -> None:
        self.expression = expression
        self.readable = readable
        self.given = given

    def missing(self, node: ast.expr) -> Never | None:
        """What is never there and makes the whole of this missing."""
        if isinstance(node, (ast.Attribute, ast.Subscript)):
            return self._step(node)
        if isinstance(node, ast.BoolOp):
            found = [self.missing(value) for value in node.values]
            # `a and b` is None as soon as a is; `a or b` only where both are.
            return found[0] if isinstance(node.op, ast.And) or all(found) else None
        if isinstance(node, ast.IfExp):
            body, other = self.missing(node.body), self.missing(node.orelse)
            return body if other or _is_none(node.orelse) else None
        if isinstance(node, ast.BinOp):
            return self.missing(node.left) or self.missing(node.right)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.args:
            return self.missing(node.args[0]) if node.func.id in GIVES_NONE else None
        return None

    def _step(self, node: ast.Attribute | ast.Subscript) -> Never | None:
        before = self.missing(node.value)
        if before is not None:
            return before
        type_ = type_of(node.value, self.readable, self.given)
        name = name_of(node)
        if name is None or not type_.known:
            return None
        if not all(_never(choice, name, key=isinstance(node, ast.Subscript)) for choice in type_.choices):
            return None
        known = [each for choice in type_.choices for each in members(choice)]
        near = closest(name, known)
        path = ast.unparse(node)
        whole = f"{ast.unparse(node.value)}.{near}" if isinstance(node, ast.Attribute) else None
        return Never(path, self._mark(node), (whole or f"{ast.unparse(node.value)}[{near!r}]") if near else None)

    def _mark(self, node: ast.expr) -> Mark:
        text, mark = self.expression.text, self.expression.mark
        if "\n" in text or "\r" in text:
            return mark
        line = text.strip().encode()  # the tree counts in UTF-8
        start, end = len(line[: node.col_offset].decode()), len(line[: node.end_col_offset].decode())
        return mark.at(start + len(text) - len(text.lstrip()), end - start)


#: Our functions that give None for None. Of those that a spec adds nothing is known.
GIVES_NONE = frozenset(
    {"float", "int", "iso", "json", "len", "lower", "sha256", "str", "truncate", "type_name", "upper"}
)


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _never(type_: Type, name: str, *, key: bool) -> bool:
    """Whether no value of a type has a name."""
    cls = type_.cls
    if cls is None:
        return False
    if typing.is_typeddict(cls):
        return name not in members(type_)
    if key or not _is_closed(cls):
        return False
    return not any(_may_have(each, name) for each in _loaded(cls)) and not _is_set_somewhere(cls, name)


def _loaded(cls: type) -> Iterator[type]:
    """The class and every subclass of it that is loaded."""
    waiting, seen = [cls], set()
    while waiting:
        each = waiting.pop()
        if each not in seen:
            seen.add(each)
            yield each
            waiting.extend(type.__subclasses__(each))


def _is_closed(cls: type) -> bool:
    """Whether all that its instances can have is written down."""
    if getattr(cls, "_is_protocol", False) or inspect.isabstract(cls) or issubclass(cls, (type, types.ModuleType)):
        return False
    if issubclass(cls, collections.abc.Mapping):
        return False  # a dot reads its keys
    if cls.__dictoffset__ == 0:
        return True
    if hasattr(cls, "__pydantic_fields__") or hasattr(cls, "model_fields"):
        return not _takes_more(cls)
    return dataclasses.is_dataclass(cls) or "__attrs_attrs__" in vars(cls)


def _may_have(cls: type, name: str) -> bool:
    """Whether an instance of just this class might have a name: it has, or its code so much as mentions it."""
    for base in cls.__mro__:
        held = vars(base)
        # Pydantic's own `__getattr__` knows private fields and extras alone.
        if name in held or (base.__module__ != "pydantic.main" and _answers_all(held)):
            return True
        if any(name in _mentioned(function) for function in held.values()):
            return True
    return _takes_more(cls) or name in members(Type(cls.__name__, cls))


def _answers_all(held: Mapping[str, Any]) -> bool:
    """Whether a class has a say of its own in what its instances answer; those in C have only what is written down."""
    return "__getattr__" in held or isinstance(held.get("__getattribute__"), types.FunctionType)


def _takes_more(cls: type) -> bool:
    """Whether a pydantic model keeps what it is given beside its fields."""
    config = getattr(cls, "model_config", None)
    return isinstance(config, dict) and config.get("extra") == "allow"


def _mentioned(held: Any) -> Collection[str]:
    for each in (getattr(held, "fget", None), getattr(held, "func", None), getattr(held, "__func__", None), held):
        if isinstance(each, types.FunctionType):
            code = each.__code__
            return (*code.co_names, *(text for text in code.co_consts if isinstance(text, str)))
    return ()


def _is_set_somewhere(cls: type, name: str) -> bool:
    """Whether any loaded module of the same package sets a field of this name, on whatever, or names it as text.

    Only an instance that has a ``__dict__`` takes a field that its class does not know.
    """
    if cls.__dictoffset__ == 0:
        return False
    top = cls.__module__.partition(".")[0]
    sets = re.compile(rf"\.{re.escape(name)}\s*(?::[^=\n]+)?=(?!=)|[\"']{re.escape(name)}[\"']")
    for module in [*sys.modules.values()]:
        if getattr(module, "__name__", "").partition(".")[0] != top:
            continue
        file = getattr(module, "__file__", None)
        lines = linecache.getlines(file) if isinstance(file, str) and file.endswith(".py") else []
        if not lines or sets.search("".join(lines)):
            return True  # also where there is no source to look at
    return False

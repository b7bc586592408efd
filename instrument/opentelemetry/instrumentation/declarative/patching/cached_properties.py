"""Keeps what an expression reads of a cached property from being kept by the object.

The first read of a cached property stores its value in the object. If that read were ours, the program would go on with
a value of an earlier time. While an expression is read, the value is computed, but not stored.
"""

from __future__ import annotations

import ast
import functools
import itertools
import sys
import tokenize
import types
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from opentelemetry.instrumentation.declarative.diagnostics.log import logger
from opentelemetry.instrumentation.declarative.patching.imports.import_hooks import when_imported
from opentelemetry.instrumentation.declarative.patching.lookup.static_lookup import value_at
from opentelemetry.instrumentation.declarative.runtime.context.own_reading import is_expression_read, readings
from opentelemetry.instrumentation.declarative.runtime.function_code.code_layers import CodeLayer, bottom_of


class _CachedProperty(NamedTuple):
    """A class of cached properties: the attributes with the function that computes, and with the name of the value."""

    module: str
    function: str
    name: str


_CACHED_PROPERTIES = (
    _CachedProperty("functools", "func", "attrname"),
    _CachedProperty("django.utils.functional", "func", "name"),
    _CachedProperty("werkzeug.utils", "fget", "__name__"),
)
_READER = ["cached_property", "__get__"]


class _Reading:
    """What the code of a reader asks: whether an expression reads, and then for the value."""

    def __init__(self, kind: _CachedProperty) -> None:
        self._kind = kind

    def applies(self) -> bool:
        return bool(readings) and is_expression_read()

    def value(self, descriptor: Any, instance: Any) -> Any:
        stored = getattr(instance, "__dict__", {})
        name = getattr(descriptor, self._kind.name)
        return stored[name] if name in stored else getattr(descriptor, self._kind.function)(instance)


class CachedProperties:
    """While active, the cached properties of known classes do not store what an expression reads."""

    def __init__(self) -> None:
        self._cancel_waits: list[Callable[[], None]] = []
        self._layers: list[CodeLayer] = []

    def install(self) -> None:
        """Change the code of each class once its module is imported."""
        if not self._cancel_waits:
            self._cancel_waits = [
                when_imported(kind.module, functools.partial(self._change, kind)) for kind in _CACHED_PROPERTIES
            ]

    def remove(self) -> None:
        """Restore the code."""
        for cancel in self._cancel_waits:
            cancel()
        self._cancel_waits.clear()
        for layer in reversed(self._layers):
            layer.remove()
        self._layers.clear()

    def _change(self, kind: _CachedProperty) -> None:
        try:
            reader = value_at(sys.modules.get(kind.module), _READER)
            if type(reader) is types.FunctionType and all(layer.function is not reader for layer in self._layers):
                code = _with_condition(bottom_of(reader).__code__, _Reading(kind))
                if code is not None:
                    self._layers.append(CodeLayer(reader, lambda *_: code))
        except Exception:  # this runs inside an import of the application
            logger.exception(
                "cached properties of %s could not be guarded. The application is not affected.", kind.module
            )


def _with_condition(code: types.CodeType, reading: _Reading) -> types.CodeType | None:
    """Return the code with a condition before everything else; None if its source does not give the code.

    It is compiled with the condition, instead of being called by it, so that tracebacks have the same entries.
    """
    tree = _tree(code)
    if tree is None or _compiled(tree, code).co_code != code.co_code:
        return None
    descriptor, instance, *_ = (argument.arg for argument in tree.args.args)
    placeholder = "<instrument reading>"
    condition = f"if {instance} is not None and _.applies(): return _.value({descriptor}, {instance})"
    (statement,) = ast.parse(condition).body
    place = 0 if ast.get_docstring(tree, clean=False) is None else 1
    start = tree.body[place]
    for node in ast.walk(statement):
        if isinstance(node, ast.Attribute):
            node.value = ast.Constant(placeholder)
    for node in ast.walk(statement):
        if isinstance(node, (ast.stmt, ast.expr)):
            # Of one line: Python calls a method at the line on which its name ends.
            node.lineno = node.end_lineno = start.lineno
            node.col_offset = node.end_col_offset = start.col_offset
    tree.body.insert(place, statement)
    changed = _compiled(tree, code)
    constants = (reading if constant == placeholder else constant for constant in changed.co_consts)
    return changed.replace(co_consts=tuple(constants))


def _tree(code: types.CodeType) -> ast.FunctionDef | None:
    """The syntax tree of a function. `inspect.getsource` would look at all modules, and takes ten times as long."""
    try:
        with tokenize.open(code.co_filename) as file:
            first, *others = itertools.islice(file, code.co_firstlineno - 1, None)
        indentation = first[: -len(first.lstrip())]
        body = itertools.takewhile(lambda line: not line.strip() or line.startswith(f"{indentation} "), others)
        # Within a block, at the lines and columns of the file, which tracebacks underline.
        lines = ["\n" * (code.co_firstlineno - 2), "class _:\n", first, *body]
        (block,) = ast.parse("".join(lines)).body
    except Exception:  # there is no source, or another one
        return None
    tree = block.body[0] if isinstance(block, ast.ClassDef) else None
    return tree if isinstance(tree, ast.FunctionDef) else None


def _compiled(tree: ast.FunctionDef, code: types.CodeType) -> types.CodeType:
    """Compile a function in place of a code object."""
    module = compile(ast.Module([tree], []), code.co_filename, "exec", dont_inherit=True)
    found: Iterable[types.CodeType] = (each for each in module.co_consts if isinstance(each, types.CodeType))
    names: dict[str, Any] = {"co_qualname": code.co_qualname} if hasattr(code, "co_qualname") else {}
    return next(each for each in found if each.co_name == code.co_name).replace(**names)

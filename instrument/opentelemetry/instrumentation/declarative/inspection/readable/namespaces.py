"""The names that annotations may use, and what they mean: as far as it can be known without importing anything."""

from __future__ import annotations

import ast
import builtins
import contextlib
import dataclasses
import inspect
import sys
import textwrap
import types
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from opentelemetry.instrumentation.declarative.inspection.readable.types import Type


@dataclass(frozen=True, slots=True)
class Place:
    """Where an annotation stands: the names that it may use, the class for ``Self``, what type variables stand for."""

    names: Mapping[str, Any]
    owner: type | None = None
    variables: Mapping[Any, Type] = dataclasses.field(default_factory=dict)


class Missing:
    """In an annotation, the place of a name that cannot be found, as one that only a type checker imports."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __getattr__(self, name: str) -> Missing:
        if name.startswith("__"):
            raise AttributeError(name)
        return Missing(f"{self.text}.{name}")

    def __getitem__(self, _args: object) -> Missing:
        return self

    def __or__(self, other: object) -> Either:
        return Either((self, other))

    def __ror__(self, other: object) -> Either:
        return Either((other, self))

    def __call__(self) -> None:
        """``typing`` takes only what could be called for a type."""


class Either:
    """``|`` where Python itself cannot do it."""

    def __init__(self, parts: tuple[object, ...]) -> None:
        self.parts = parts

    def __or__(self, other: object) -> Either:
        return Either((*self.parts, other))

    def __ror__(self, other: object) -> Either:
        return Either((other, *self.parts))

    def __call__(self) -> None:
        """As above."""


class _Names(dict[str, Any]):
    """The names of a place; what is not among them is missing and no error."""

    def __missing__(self, name: str) -> Any:
        return vars(builtins)[name] if name in vars(builtins) else Missing(name)


def names_of(module: str | None, owner: type | None = None) -> dict[str, Any]:
    """The names that annotations in a module may use, those that only a type checker imports among them."""
    there = sys.modules.get(module or "")
    names = {**checking_imports(there), **vars(there)} if there is not None else {}
    if owner is not None:
        names = {**names, **{parameter.__name__: parameter for parameter in getattr(owner, "__type_params__", ())}}
    return names


_CHECKED: dict[int, tuple[types.ModuleType, dict[str, Any]]] = {}


def checking_imports(module: types.ModuleType) -> dict[str, Any]:
    """What a module imports under ``if TYPE_CHECKING:``, as far as it is loaded anyway. Nothing is imported for it."""
    if id(module) in _CHECKED:
        return _CHECKED[id(module)][1]
    found: dict[str, Any] = {}
    _CHECKED[id(module)] = module, found  # the module with it: an id is only that of what is kept
    try:
        tree = ast.parse(inspect.getsource(module))
    except (OSError, TypeError, SyntaxError, ValueError, IndentationError):
        return found
    blocks = [node for node in ast.walk(tree) if isinstance(node, ast.If) and _is_checking(node.test)]
    for node in (inner for block in blocks for inner in block.body):
        if isinstance(node, ast.ImportFrom):
            loaded = sys.modules.get(_absolute(node, module))
            for alias in node.names:
                if loaded is not None and hasattr(loaded, alias.name):
                    found[alias.asname or alias.name] = getattr(loaded, alias.name)
        elif isinstance(node, ast.Import):
            for alias in node.names:
                name = alias.name if alias.asname else alias.name.partition(".")[0]
                if name in sys.modules:
                    found[alias.asname or name] = sys.modules[name]
    return found


def _is_checking(test: ast.expr) -> bool:
    return (isinstance(test, ast.Name) and test.id == "TYPE_CHECKING") or (
        isinstance(test, ast.Attribute) and test.attr == "TYPE_CHECKING"
    )


def _absolute(node: ast.ImportFrom, module: types.ModuleType) -> str:
    if not node.level:
        return node.module or ""
    package = (getattr(module, "__package__", None) or module.__name__).split(".")
    base = package[: len(package) - node.level + 1]
    return ".".join([*base, *([node.module] if node.module else [])])


def evaluated(text: str, place: Place) -> Any:
    """What an annotation that is written as text means. A name that cannot be found does not spoil the rest."""
    with contextlib.suppress(SyntaxError, ValueError):
        tree = ast.parse(text.strip(), mode="eval").body
        if isinstance(tree, ast.BinOp) and isinstance(tree.op, ast.BitOr):
            # Each on its own: a metaclass of the library's may make something else of `|`.
            return Either((ast.unparse(tree.left), ast.unparse(tree.right)))
    try:
        return eval(compile(text.strip(), "<annotation>", "eval"), {"__builtins__": {}}, _Names(place.names))
    except Exception:
        return Missing(text.strip())


def understood(hints: Mapping[str, Any], defined: Any) -> Mapping[str, Any]:
    """The annotations of a class or function; one of which the library has made something else, as it is written."""
    odd = [name for name, hint in hints.items() if not _is_understood(hint)]
    if not odd:
        return hints
    written = _annotations_written(defined)
    return {name: written.get(name, hint) if name in odd else hint for name, hint in hints.items()}


def _is_understood(hint: Any) -> bool:
    if hint is None or isinstance(hint, (type, str)) or hasattr(hint, "__supertype__"):
        return True
    return type(hint).__module__ in ("typing", "types", "typing_extensions", "dataclasses")


def _annotations_written(defined: Any) -> dict[str, str]:
    try:
        (node, *_) = ast.parse(textwrap.dedent(inspect.getsource(defined))).body
    except (OSError, TypeError, SyntaxError, ValueError):
        return {}
    if isinstance(node, ast.ClassDef):
        fields = [each for each in node.body if isinstance(each, ast.AnnAssign) and isinstance(each.target, ast.Name)]
        return {each.target.id: ast.unparse(each.annotation) for each in fields if isinstance(each.target, ast.Name)}
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        all_ = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs, node.args.vararg, node.args.kwarg]
        found = {each.arg: ast.unparse(each.annotation) for each in all_ if each is not None and each.annotation}
        return {**found, **({"return": ast.unparse(node.returns)} if node.returns else {})}
    return {}

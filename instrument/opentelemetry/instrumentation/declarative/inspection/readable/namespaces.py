"""The names that annotations can refer to, looked up without importing anything."""

from __future__ import annotations

import ast
import builtins
import contextlib
import dataclasses
import inspect
import sys
import types
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from opentelemetry.instrumentation.declarative.inspection.readable.types import Type
from opentelemetry.instrumentation.declarative.inspection.sources import definition_of


@dataclass(frozen=True, slots=True)
class Namespace:
    """What an annotation can refer to: names, the class for ``Self``, and the values of type variables."""

    names: Mapping[str, Any]
    owner: type | None = None
    variables: Mapping[Any, Type] = dataclasses.field(default_factory=dict)


class Unresolved:
    """Stands for a name in an annotation that cannot be found, such as one that is imported for type checkers only."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __getattr__(self, name: str) -> Unresolved:
        if name.startswith("__"):
            raise AttributeError(name)
        return Unresolved(f"{self.text}.{name}")

    def __repr__(self) -> str:
        return self.text

    def __getitem__(self, _args: object) -> Unresolved:
        return self

    def __or__(self, other: object) -> UnionOperand:
        return UnionOperand((self, other))

    def __ror__(self, other: object) -> UnionOperand:
        return UnionOperand((other, self))

    def __call__(self) -> None:
        """``typing`` accepts only callables as types."""


class UnionOperand:
    """The result of ``|`` between operands that Python cannot combine."""

    def __init__(self, parts: tuple[object, ...]) -> None:
        self.parts = parts

    def __or__(self, other: object) -> UnionOperand:
        return UnionOperand((*self.parts, other))

    def __ror__(self, other: object) -> UnionOperand:
        return UnionOperand((other, *self.parts))

    def __call__(self) -> None:
        """``typing`` accepts only callables as types."""


class _LenientNames(dict[str, Any]):
    """Names in which every lookup succeeds: a name that does not exist is ``Unresolved``."""

    def __missing__(self, name: str) -> Any:
        return vars(builtins)[name] if name in vars(builtins) else Unresolved(name)


def module_names(module_name: str | None, owner: type | None = None) -> dict[str, Any]:
    """Return the names that annotations in a module can use, including those imported only for type checkers."""
    module = sys.modules.get(module_name or "")
    names = {**type_checking_imports(module), **vars(module)} if module is not None else {}
    if owner is not None:
        names = {**names, **{parameter.__name__: parameter for parameter in getattr(owner, "__type_params__", ())}}
    return names


#: By the id of a module: the module, so that the id stays its own, and its imports for type checkers.
_type_checking_imports: dict[int, tuple[types.ModuleType, dict[str, Any]]] = {}


def type_checking_imports(module: types.ModuleType) -> dict[str, Any]:
    """Return what a module imports under ``if TYPE_CHECKING:``, if it happens to be loaded. Imports nothing."""
    if id(module) in _type_checking_imports:
        return _type_checking_imports[id(module)][1]
    found: dict[str, Any] = {}
    _type_checking_imports[id(module)] = module, found
    try:
        tree = ast.parse(inspect.getsource(module))
    except (OSError, TypeError, SyntaxError, ValueError, IndentationError):
        return found
    blocks = [node for node in ast.walk(tree) if isinstance(node, ast.If) and _is_type_checking(node.test)]
    for node in (inner for block in blocks for inner in block.body):
        if isinstance(node, ast.ImportFrom):
            loaded = sys.modules.get(_absolute_name(node, module))
            for alias in node.names:
                if loaded is not None and hasattr(loaded, alias.name):
                    found[alias.asname or alias.name] = getattr(loaded, alias.name)
        elif isinstance(node, ast.Import):
            for alias in node.names:
                name = alias.name if alias.asname else alias.name.partition(".")[0]
                if name in sys.modules:
                    found[alias.asname or name] = sys.modules[name]
    return found


def _is_type_checking(test: ast.expr) -> bool:
    return (isinstance(test, ast.Name) and test.id == "TYPE_CHECKING") or (
        isinstance(test, ast.Attribute) and test.attr == "TYPE_CHECKING"
    )


def _absolute_name(node: ast.ImportFrom, module: types.ModuleType) -> str:
    if not node.level:
        return node.module or ""
    package = (getattr(module, "__package__", None) or module.__name__).split(".")
    base = package[: len(package) - node.level + 1]
    return ".".join([*base, *([node.module] if node.module else [])])


def evaluate(text: str, namespace: Namespace) -> Any:
    """Evaluate an annotation written as text. A name that cannot be found becomes ``Unresolved``."""
    with contextlib.suppress(SyntaxError, ValueError):
        tree = ast.parse(text.strip(), mode="eval").body
        if isinstance(tree, ast.BinOp) and isinstance(tree.op, ast.BitOr):
            # Evaluated separately: a metaclass of the library may redefine `|`.
            return UnionOperand((ast.unparse(tree.left), ast.unparse(tree.right)))
    try:
        return eval(compile(text.strip(), "<annotation>", "eval"), {"__builtins__": {}}, _LenientNames(namespace.names))
    except Exception:
        return Unresolved(text.strip())


def readable_annotations(hints: Mapping[str, Any], defined: Any) -> Mapping[str, Any]:
    """Return the annotations of a class or function; an object that is not a type is replaced by its source text."""
    unknown = [name for name, hint in hints.items() if not _is_type(hint)]
    if not unknown:
        return hints
    source = _annotations_in_source(defined)
    return {name: source.get(name, hint) if name in unknown else hint for name, hint in hints.items()}


def _is_type(hint: Any) -> bool:
    if hint is None or isinstance(hint, (type, str)) or hasattr(hint, "__supertype__"):
        return True
    return type(hint).__module__ in ("typing", "types", "typing_extensions", "dataclasses")


def _annotations_in_source(defined: Any) -> dict[str, str]:
    node = definition_of(defined)
    if isinstance(node, ast.ClassDef):
        fields = [each for each in node.body if isinstance(each, ast.AnnAssign) and isinstance(each.target, ast.Name)]
        return {each.target.id: ast.unparse(each.annotation) for each in fields if isinstance(each.target, ast.Name)}
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        parameters = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs, node.args.vararg, node.args.kwarg]
        found = {each.arg: ast.unparse(each.annotation) for each in parameters if each is not None and each.annotation}
        return {**found, **({"return": ast.unparse(node.returns)} if node.returns else {})}
    return {}

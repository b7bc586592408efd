"""Copies of the trees of expressions, for transformers that change them."""

from __future__ import annotations

import ast
from typing import Any, TypeVar

_Node = TypeVar("_Node", bound=ast.AST)


def copied(tree: _Node) -> _Node:
    """Return a copy of a tree with nodes of its own. Each process copies hundreds: `deepcopy` is too slow."""
    made = type(tree).__new__(type(tree))
    vars(made).update({name: _copied_value(value) for name, value in vars(tree).items()})
    return made


def _copied_value(value: Any) -> Any:
    if isinstance(value, ast.AST):
        return copied(value)
    return [_copied_value(each) for each in value] if isinstance(value, list) else value

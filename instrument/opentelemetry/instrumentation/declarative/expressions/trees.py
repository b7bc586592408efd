"""The trees of expressions: their depth, and copies for transformers that change them."""

from __future__ import annotations

import ast
from typing import Any, TypeVar

_Node = TypeVar("_Node", bound=ast.AST)
#: The most levels of nesting. The source that is rendered nests as deep, and Python's parser has a limit.
MAX_EXPRESSION_DEPTH = 50
#: The kind of a constant that a check must not take as known.
_UNDECIDED = "undecided"


def tree_depth(tree: ast.AST) -> int:
    """The number of levels of nesting, determined without recursion."""
    depth = 0
    remaining = [(tree, 1)]
    while remaining:
        node, level = remaining.pop()
        depth = max(depth, level)
        remaining.extend((child, level + 1) for child in ast.iter_child_nodes(node))
    return depth


def copied(tree: _Node) -> _Node:
    """Return a copy of a tree with nodes of its own. Each process copies hundreds: `deepcopy` is too slow."""
    made = type(tree).__new__(type(tree))
    vars(made).update({name: _copied_value(value) for name, value in vars(tree).items()})
    return made


def with_undecided_constants(tree: _Node) -> _Node:
    """Return a copy of a tree whose constants are not taken as known: they may come from environment variables."""
    made = copied(tree)
    for node in ast.walk(made):
        if isinstance(node, ast.Constant):
            node.kind = _UNDECIDED
    return made


def is_undecided(node: ast.AST) -> bool:
    """Whether a node is a constant that may have another value in another process."""
    return isinstance(node, ast.Constant) and node.kind == _UNDECIDED


def _copied_value(value: Any) -> Any:
    if isinstance(value, ast.AST):
        return copied(value)
    return [_copied_value(each) for each in value] if isinstance(value, list) else value

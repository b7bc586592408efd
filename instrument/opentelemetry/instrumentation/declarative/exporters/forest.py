"""Arranges items as trees, by their keys and those of their parents."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import field
from typing import Generic, TypeVar

from opentelemetry.instrumentation.declarative.records import record

Item = TypeVar("Item")


@record(eq=False)
class Node(Generic[Item]):
    """An item and its children. Without an item, a parent that is not among the items."""

    item: Item | None
    children: list[Node[Item]] = field(default_factory=list)


def arrange(
    items: Iterable[Item], key: Callable[[Item], Hashable | None], parent: Callable[[Item], Hashable | None]
) -> Iterator[list[Node[Item]]]:
    """The trees of items, which are in order; then the tree of each cycle of parents.

    ``key`` and ``parent`` return None for an item without a key or without a parent.
    """
    nodes = [(item, Node(item)) for item in items]
    by_key: dict[Hashable, Node[Item]] = {}
    for item, node in nodes:
        item_key = key(item)
        if item_key is not None:
            by_key.setdefault(item_key, node)
    roots: list[Node[Item]] = []
    siblings_of: dict[int, list[Node[Item]]] = {}
    for item, node in nodes:
        parent_key = parent(item)
        if parent_key is None:
            siblings = roots
        else:
            parent_node = by_key.get(parent_key)
            if parent_node is None:
                parent_node = by_key[parent_key] = Node(None)
                roots.append(parent_node)
            siblings = parent_node.children
        siblings.append(node)
        siblings_of[id(node)] = siblings
    yield roots
    reached = {id(node) for node in walk(roots)}
    for _, node in nodes:  # the rest are cycles of parents: each starts with its oldest item
        if id(node) not in reached:
            siblings_of[id(node)].remove(node)
            yield [node]
            reached.update(id(inner) for inner in walk([node]))


def walk(nodes: Iterable[Node[Item]]) -> Iterator[Node[Item]]:
    """The nodes and their descendants, depth first. Not recursive: calls may be nested deeper than Python's stack."""
    stack = [*nodes][::-1]
    while stack:
        node = stack.pop()
        yield node
        stack.extend(reversed(node.children))

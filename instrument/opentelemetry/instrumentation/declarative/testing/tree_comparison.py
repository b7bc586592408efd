"""Compares two trees: whether they are equal, whether one contains the other, and how they differ."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

from opentelemetry.instrumentation.declarative.testing.tree_text import ANY, ROLES, TreeLine, walk_lines

Sign = Literal["  ", "- ", "+ "]

#: If there are more pairs of siblings than this, they are paired by position instead of by similarity.
_MOST_PAIRS = 40_000
#: The costs of a pair in an alignment; of a line without a partner, ``_UNPAIRED``.
_UNPAIRED = 2
_OTHER_CONTENT = 1
_OTHER_HEAD = 3
_UNRELATED = 5


def is_equal(expected: Sequence[TreeLine], got: Sequence[TreeLine]) -> bool:
    """Whether two trees are equal. The order of attributes does not matter, and ``<any>`` matches any text."""
    stack = [(expected, got)]
    while stack:
        ours, theirs = stack.pop()
        if len(ours) != len(theirs):
            return False
        for role in ROLES:
            pairs = _pairs_of_role(ours, theirs, role)
            if pairs is None:
                return False
            for one, other in pairs:
                if one.flags != other.flags or not _matches(one.text, other.text):
                    return False
                if one.children or other.children:
                    stack.append((one.children, other.children))
    return True


def contains(tree: Sequence[TreeLine], expected: Sequence[TreeLine]) -> bool:
    """Whether each expected span occurs somewhere in a tree, with all lines below it."""
    lines = [line for line, _ in walk_lines(tree)]
    return all(any(_line_contains(line, span) for line in lines) for span in expected)


def closest_span(expected: TreeLine, tree: Sequence[TreeLine]) -> TreeLine | None:
    """The span of that name that has the most lines in common with the expected one; None if no span has the name."""
    spans = [line for line, _ in walk_lines(tree) if line.role == "span" and _matches(expected.text, line.text)]
    return max(spans, key=lambda span: _common_lines(expected, span), default=None)


class DiffLine(NamedTuple):
    """A line of a difference: equal, missing (``- ``), or unexpected (``+ ``)."""

    sign: Sign
    line: TreeLine
    depth: int

    def __str__(self) -> str:
        return f"{self.sign}{'  ' * self.depth}{self.line.head}"


def difference(expected: Sequence[TreeLine], got: Sequence[TreeLine], *, partial: bool = False) -> Iterator[DiffLine]:
    """The lines of both trees, aligned by their position. ``partial``: unexpected lines are not shown."""
    stack: list[tuple[TreeLine | None, TreeLine | None, int]] = [
        (*pair, 0) for pair in reversed([*_aligned(expected, got, partial)])
    ]
    while stack:
        ours, theirs, depth = stack.pop()
        if ours is None or theirs is None:
            for line, more in walk_lines([ours or theirs]):  # type: ignore[list-item]
                yield DiffLine("- " if theirs is None else "+ ", line, depth + more)
            continue
        if _same_head(ours, theirs, partial):
            yield DiffLine("  ", theirs, depth)
        else:
            yield DiffLine("- ", ours, depth)
            yield DiffLine("+ ", theirs, depth)
        children = [*_aligned(ours.children, theirs.children, partial)]
        stack.extend((*pair, depth + 1) for pair in reversed(children))


def _pairs_of_role(
    ours: Sequence[TreeLine], theirs: Sequence[TreeLine], role: str
) -> list[tuple[TreeLine, TreeLine]] | None:
    """The pairs of lines of one role; None if a line has no partner."""
    mine, other = [line for line in ours if line.role == role], [line for line in theirs if line.role == role]
    if len(mine) != len(other):
        return None
    if role != "attribute":
        return [*zip(mine, other, strict=True)]
    by_key = {line.key: line for line in other}
    if any(line.key not in by_key for line in mine):
        return None
    return [(line, by_key[line.key]) for line in mine]


def _line_contains(line: TreeLine, expected: TreeLine) -> bool:
    if expected.role != line.role or not _same_head(expected, line, True):
        return False
    remaining = iter(line.children)
    in_order = [child for child in expected.children if child.role != "attribute"]
    attributes = {child.key: child for child in line.children_of_role("attribute")}
    return all(
        child.key in attributes and _matches(child.text, attributes[child.key].text)
        for child in expected.children_of_role("attribute")
    ) and all(any(_line_contains(other, child) for other in remaining) for child in sorted(in_order, key=_role_index))


def _role_index(line: TreeLine) -> int:
    return ROLES.index(line.role)


def _common_lines(expected: TreeLine, got: TreeLine) -> int:
    """How many children two lines have in common, and one more if their flags are equal."""
    heads = [line.head for line in got.children]
    common = sum(any(_matches(line.head, head) for head in heads) for line in expected.children)
    return common + (expected.flags == got.flags)


def _same_head(ours: TreeLine, theirs: TreeLine, partial: bool) -> bool:
    flags = set(ours.flags) <= set(theirs.flags) if partial else ours.flags == theirs.flags
    return flags and _matches(ours.text, theirs.text)


def _matches(expected: str, got: str) -> bool:
    return expected == got or (ANY in expected and bool(_pattern(expected).fullmatch(got)))


@functools.lru_cache(maxsize=256)
def _pattern(expected: str) -> re.Pattern[str]:
    return re.compile(".*".join(map(re.escape, expected.split(ANY))), re.DOTALL)


_Pair = tuple["TreeLine | None", "TreeLine | None"]


def _aligned(expected: Sequence[TreeLine], got: Sequence[TreeLine], partial: bool) -> Iterator[_Pair]:
    """The siblings of two trees in pairs, role by role."""
    for role in ROLES:
        ours, theirs = [line for line in expected if line.role == role], [line for line in got if line.role == role]
        pairs = _aligned_by_key(ours, theirs) if role == "attribute" else _aligned_by_cost(ours, theirs)
        yield from (pair for pair in pairs if pair[0] is not None or not partial)


def _aligned_by_key(ours: Sequence[TreeLine], theirs: Sequence[TreeLine]) -> Iterator[_Pair]:
    mine = {line.key: line for line in ours}
    keys = {line.key for line in theirs}
    for line in theirs:
        yield mine.get(line.key), line
    yield from ((line, None) for line in ours if line.key not in keys)


def _aligned_by_cost(ours: Sequence[TreeLine], theirs: Sequence[TreeLine]) -> list[_Pair]:
    """The alignment, in the order of both, that costs least. Equal lines at both ends are paired first."""
    if len(ours) == len(theirs) == 1 and _same_head(ours[0], theirs[0], False):
        return [(ours[0], theirs[0])]  # otherwise a deep tree would be compared again at each of its levels
    start = 0
    while start < min(len(ours), len(theirs)) and is_equal([ours[start]], [theirs[start]]):
        start += 1
    end = 0
    while end < min(len(ours), len(theirs)) - start and is_equal([ours[-1 - end]], [theirs[-1 - end]]):
        end += 1
    mine, other = ours[start : len(ours) - end], theirs[start : len(theirs) - end]
    head: list[_Pair] = [*zip(ours[:start], theirs[:start], strict=True)]
    tail: list[_Pair] = [*zip(ours[len(ours) - end :], theirs[len(theirs) - end :], strict=True)]
    if len(mine) * len(other) > _MOST_PAIRS:
        shorter = min(len(mine), len(other))
        pairs: list[_Pair] = [*zip(mine[:shorter], other[:shorter], strict=True)]
        pairs += [(line, None) for line in mine[shorter:]] + [(None, line) for line in other[shorter:]]
        return [*head, *pairs, *tail]
    return [*head, *_cheapest_alignment(mine, other), *tail]


def _cheapest_alignment(ours: Sequence[TreeLine], theirs: Sequence[TreeLine]) -> list[_Pair]:
    rows, columns = len(ours), len(theirs)
    costs = [[_cost(line, other) for other in theirs] for line in ours]
    # best[i][j]: the least cost to align ours[i:] with theirs[j:].
    best = [[0] * (columns + 1) for _ in range(rows + 1)]
    for i in range(rows, -1, -1):
        for j in range(columns, -1, -1):
            choices = []
            if i < rows:
                choices.append(best[i + 1][j] + _UNPAIRED)
            if j < columns:
                choices.append(best[i][j + 1] + _UNPAIRED)
            if i < rows and j < columns:
                choices.append(best[i + 1][j + 1] + costs[i][j])
            best[i][j] = min(choices, default=0)
    pairs: list[_Pair] = []
    i = j = 0
    while i < rows or j < columns:
        if i < rows and j < columns and best[i][j] == best[i + 1][j + 1] + costs[i][j]:
            pairs.append((ours[i], theirs[j]))
            i, j = i + 1, j + 1
        elif i < rows and best[i][j] == best[i + 1][j] + _UNPAIRED:
            pairs.append((ours[i], None))
            i += 1
        else:
            pairs.append((None, theirs[j]))
            j += 1
    return pairs


def _cost(ours: TreeLine, theirs: TreeLine) -> int:
    """The cost of a pair: little if only the children differ, more than that of two unpaired lines if all differs."""
    if _same_head(ours, theirs, False):
        return 0 if is_equal(ours.children, theirs.children) else _OTHER_CONTENT
    is_similar = _matches(ours.text, theirs.text) or ours.text.partition(" ")[0] == theirs.text.partition(" ")[0]
    if is_similar or (ours.children and is_equal(ours.children, theirs.children)):
        return _OTHER_HEAD
    return _UNRELATED

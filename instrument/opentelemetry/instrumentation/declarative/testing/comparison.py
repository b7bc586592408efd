"""Two trees side by side: whether they are the same, whether one is in the other, and where they differ."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

from opentelemetry.instrumentation.declarative.testing.lines import ANY, ROLES, Line, walk

Sign = Literal["  ", "- ", "+ "]

#: More pairs of siblings than this are not weighed against one another: they are paired as they stand.
_MOST_PAIRS = 40_000
_NOT_THERE = 2
_OTHER_CONTENT = 1
_OTHER_HEAD = 3
_NO_PAIR = 5


def equal(expected: Sequence[Line], got: Sequence[Line]) -> bool:
    """Whether two trees are the same; attributes in any order, and ``<any>`` stands for any text."""
    stack = [(expected, got)]
    while stack:
        ours, theirs = stack.pop()
        if len(ours) != len(theirs):
            return False
        for role in ROLES:
            pairs = _in_place(ours, theirs, role)
            if pairs is None:
                return False
            for one, other in pairs:
                if one.flags != other.flags or not _same(one.text, other.text):
                    return False
                if one.below or other.below:
                    stack.append((one.below, other.below))
    return True


def inside(expected: Sequence[Line], got: Sequence[Line]) -> bool:
    """Whether each of the expected spans is somewhere in a tree, with all that is listed below it."""
    everywhere = [line for line, _ in walk(got)]
    return all(any(_within(span, line) for line in everywhere) for span in expected)


def nearest(expected: Line, got: Sequence[Line]) -> Line | None:
    """The span of a tree that has most of what is expected of one; None where none has its name."""
    spans = [line for line, _ in walk(got) if line.role == "span" and _same(expected.text, line.text)]
    return max(spans, key=lambda span: _in_common(expected, span), default=None)


class Difference(NamedTuple):
    """A line of a difference: as expected, missing (``- ``), or there and not expected (``+ ``)."""

    sign: Sign
    line: Line
    depth: int

    def __str__(self) -> str:
        return f"{self.sign}{'  ' * self.depth}{self.line.head}"


def difference(expected: Sequence[Line], got: Sequence[Line], *, partial: bool = False) -> Iterator[Difference]:
    """The two trees in one, aligned by where the lines stand. ``partial``: what is not expected does not matter."""
    stack: list[tuple[Line | None, Line | None, int]] = [
        (*pair, 0) for pair in reversed([*_aligned(expected, got, partial)])
    ]
    while stack:
        ours, theirs, depth = stack.pop()
        if ours is None or theirs is None:
            for line, more in walk([ours or theirs]):  # type: ignore[list-item]
                yield Difference("- " if theirs is None else "+ ", line, depth + more)
            continue
        if _same_head(ours, theirs, partial):
            yield Difference("  ", theirs, depth)
        else:
            yield Difference("- ", ours, depth)
            yield Difference("+ ", theirs, depth)
        below = [*_aligned(ours.below, theirs.below, partial)]
        stack.extend((*pair, depth + 1) for pair in reversed(below))


def _in_place(ours: Sequence[Line], theirs: Sequence[Line], role: str) -> list[tuple[Line, Line]] | None:
    """The pairs of lines of one role; None where one has no other."""
    mine, other = [line for line in ours if line.role == role], [line for line in theirs if line.role == role]
    if len(mine) != len(other):
        return None
    if role != "attribute":
        return [*zip(mine, other, strict=True)]
    by_key = {line.key: line for line in other}
    if any(line.key not in by_key for line in mine):
        return None
    return [(line, by_key[line.key]) for line in mine]


def _within(expected: Line, got: Line) -> bool:
    if expected.role != got.role or not _same_head(expected, got, True):
        return False
    there = iter(got.below)
    in_order = [line for line in expected.below if line.role != "attribute"]
    attributes = {line.key: line for line in got.those("attribute")}
    return all(
        line.key in attributes and _same(line.text, attributes[line.key].text) for line in expected.those("attribute")
    ) and all(any(_within(line, other) for other in there) for line in sorted(in_order, key=_place))


def _place(line: Line) -> int:
    return ROLES.index(line.role)


def _in_common(expected: Line, got: Line) -> int:
    """How many lines directly below the one are below the other as well; the line of its own flags counts too."""
    heads = [line.head for line in got.below]
    return sum(any(_same(line.head, head) for head in heads) for line in expected.below) + (expected.flags == got.flags)


def _same_head(ours: Line, theirs: Line, partial: bool) -> bool:
    flags = set(ours.flags) <= set(theirs.flags) if partial else ours.flags == theirs.flags
    return flags and _same(ours.text, theirs.text)


def _same(expected: str, got: str) -> bool:
    return expected == got or (ANY in expected and bool(_pattern(expected).fullmatch(got)))


@functools.lru_cache(maxsize=256)
def _pattern(expected: str) -> re.Pattern[str]:
    return re.compile(".*".join(map(re.escape, expected.split(ANY))), re.DOTALL)


_Pair = tuple["Line | None", "Line | None"]


def _aligned(expected: Sequence[Line], got: Sequence[Line], partial: bool) -> Iterator[_Pair]:
    """Which of the lines at one place belong together. Those of one role stand together, in the order of roles."""
    for role in ROLES:
        ours, theirs = [line for line in expected if line.role == role], [line for line in got if line.role == role]
        pairs = _by_key(ours, theirs) if role == "attribute" else _by_weight(ours, theirs)
        yield from (pair for pair in pairs if pair[0] is not None or not partial)


def _by_key(ours: Sequence[Line], theirs: Sequence[Line]) -> Iterator[_Pair]:
    mine = {line.key: line for line in ours}
    keys = {line.key for line in theirs}
    for line in theirs:
        yield mine.get(line.key), line
    yield from ((line, None) for line in ours if line.key not in keys)


def _by_weight(ours: Sequence[Line], theirs: Sequence[Line]) -> list[_Pair]:
    """The pairs in the order of both that differ least: what is the same at both ends, and the rest weighed."""
    if len(ours) == len(theirs) == 1 and _same_head(ours[0], theirs[0], False):
        return [(ours[0], theirs[0])]  # so that a deep tree is not gone through at each of its levels
    start = 0
    while start < min(len(ours), len(theirs)) and equal([ours[start]], [theirs[start]]):
        start += 1
    end = 0
    while end < min(len(ours), len(theirs)) - start and equal([ours[-1 - end]], [theirs[-1 - end]]):
        end += 1
    mine, other = ours[start : len(ours) - end], theirs[start : len(theirs) - end]
    head: list[_Pair] = [*zip(ours[:start], theirs[:start], strict=True)]
    tail: list[_Pair] = [*zip(ours[len(ours) - end :], theirs[len(theirs) - end :], strict=True)]
    if len(mine) * len(other) > _MOST_PAIRS:
        short = min(len(mine), len(other))
        pairs: list[_Pair] = [*zip(mine[:short], other[:short], strict=True)]
        pairs += [(line, None) for line in mine[short:]] + [(None, line) for line in other[short:]]
        return [*head, *pairs, *tail]
    return [*head, *_weighed(mine, other), *tail]


def _weighed(ours: Sequence[Line], theirs: Sequence[Line]) -> list[_Pair]:
    rows, columns = len(ours), len(theirs)
    weights = [[_weight(line, other) for other in theirs] for line in ours]
    # best[i][j]: what the lines from the i-th and the j-th on differ by.
    best = [[0] * (columns + 1) for _ in range(rows + 1)]
    for i in range(rows, -1, -1):
        for j in range(columns, -1, -1):
            ways = []
            if i < rows:
                ways.append(best[i + 1][j] + _NOT_THERE)
            if j < columns:
                ways.append(best[i][j + 1] + _NOT_THERE)
            if i < rows and j < columns:
                ways.append(best[i + 1][j + 1] + weights[i][j])
            best[i][j] = min(ways, default=0)
    pairs: list[_Pair] = []
    i = j = 0
    while i < rows or j < columns:
        if i < rows and j < columns and best[i][j] == best[i + 1][j + 1] + weights[i][j]:
            pairs.append((ours[i], theirs[j]))
            i, j = i + 1, j + 1
        elif i < rows and best[i][j] == best[i + 1][j] + _NOT_THERE:
            pairs.append((ours[i], None))
            i += 1
        else:
            pairs.append((None, theirs[j]))
            j += 1
    return pairs


def _weight(ours: Line, theirs: Line) -> int:
    """How much two lines differ: a little where one only has more below it, and too much where they are others."""
    if _same_head(ours, theirs, False):
        return 0 if equal(ours.below, theirs.below) else _OTHER_CONTENT
    alike = _same(ours.text, theirs.text) or ours.text.partition(" ")[0] == theirs.text.partition(" ")[0]
    return _OTHER_HEAD if alike or (ours.below and equal(ours.below, theirs.below)) else _NO_PAIR

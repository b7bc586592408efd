"""Bounds the number of steps that a regular expression takes, from the tree that Python's own parser makes of it."""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Iterable, Sequence
from typing import Any

from opentelemetry.instrumentation.declarative.records import record

_MODULES = ("re._parser", "re._constants") if sys.version_info >= (3, 11) else ("sre_parse", "sre_constants")
_parser, _constants = map(importlib.import_module, _MODULES)

#: A repetition of more than this counts as one without an upper bound.
_MANY = 50
#: Higher costs are not distinguished.
_MAX_COST = 10**12
#: The characters that classes are compared on. Those that the pattern contains are added.
_ALPHABET = "".join(map(chr, range(256))) + "中٣\u2003…\u0130\u212a"
_SINGLE = ("LITERAL", "NOT_LITERAL", "ANY", "IN")
_REPEATS = ("MAX_REPEAT", "MIN_REPEAT")
#: What follows if nothing is known about it: any character.
_ANYTHING = frozenset(_ALPHABET)

Node = tuple[Any, Any]


class Refused(Exception):
    """A part of a pattern that is not accepted."""

    def __init__(self, reason: str, help: str) -> None:
        super().__init__(reason)
        self.help = help


@record(frozen=True)
class Cost:
    """The steps that a pattern takes on a text of n characters: at most ``fixed * n ** degree``."""

    fixed: int
    degree: int

    def max_length(self, steps: int) -> float:
        """The length of the longest text that needs at most this number of steps."""
        return float("inf") if self.degree == 0 else (steps / self.fixed) ** (1 / self.degree)


def pattern_cost(pattern: str) -> Cost:
    """The cost of searching a pattern in a text. Raises Refused, or an error of ``re`` if the pattern is not valid."""
    tree = _parser.parse(pattern)
    analysis = _Analysis(pattern, tree.state.flags)
    ways = analysis.sequence([*tree], None)
    anchored = bool(len(tree)) and analysis.is_anchor(tree[0])
    return Cost(ways.fixed * max(1, len(pattern)), ways.degree + (not anchored) + analysis.scans)


class _Analysis:
    """Determines in how many ways a pattern can be tried at one position of a text.

    ``follow`` is the set of the characters that can come next, or None if nothing has to: the match is complete then.
    """

    def __init__(self, pattern: str, flags: int) -> None:
        for letter, flag in (("i", re.IGNORECASE), ("m", re.MULTILINE), ("s", re.DOTALL)):
            flags |= flag if re.search(rf"\(\?[a-zA-Z]*{letter}", pattern) else 0  # also if it is for a group only
        self.flags = flags
        self.ignores_case = bool(flags & re.IGNORECASE)
        self.alphabet = {*_ALPHABET, *pattern, *pattern.swapcase()}
        #: Whether a repetition without a bound reads many characters before there is one way to go on.
        self.scans = False
        self._budget = 5_000

    def is_anchor(self, node: Node) -> bool:
        name, value = str(node[0]), node[1]
        if name == "SUBPATTERN":
            inner = value[-1]
            return bool(len(inner)) and self.is_anchor(inner[0])
        return name == "AT" and str(value) in ("AT_BEGINNING", "AT_BEGINNING_STRING") and not self.flags & re.MULTILINE

    def sequence(self, nodes: Sequence[Node], follow: frozenset[str] | None) -> Cost:
        ways = Cost(1, 0)
        for index, node in enumerate(nodes):
            one = self.node(node, self.first(nodes[index + 1 :], follow))
            ways = Cost(min(ways.fixed * one.fixed, _MAX_COST), ways.degree + one.degree)
        return ways

    def node(self, node: Node, follow: frozenset[str] | None) -> Cost:
        name, value = str(node[0]), node[1]
        if name in _SINGLE or name == "AT":
            return Cost(1, 0)
        if name == "SUBPATTERN":
            return self.sequence([*value[-1]], follow)
        if name == "BRANCH":
            return self._alternatives([self.sequence([*branch], follow) for branch in value[1]])
        if name in ("ASSERT", "ASSERT_NOT"):
            inner = self.sequence([*value[1]], _ANYTHING)
            if inner.degree:
                raise Refused("a repetition without an upper bound cannot be in a look-around", "write it without one")
            return inner
        if name in _REPEATS:
            return self._repetition(value[0], value[1], [*value[2]], follow)
        raise Refused("it refers to a group, or has a construct that not every Python version has", "write it without")

    def _alternatives(self, costs: Iterable[Cost]) -> Cost:
        costs = [*costs]
        return Cost(sum(cost.fixed for cost in costs), max((cost.degree for cost in costs), default=0))

    def _repetition(self, least: int, most: Any, body: list[Node], follow: frozenset[str] | None) -> Cost:
        unbounded = most == _constants.MAXREPEAT or most > _MANY
        if unbounded and not self._matches_in_one_way(body):
            raise Refused(
                "a repetition without an upper bound contains alternatives or another repetition, which can take very "
                "long",
                "repeat a single class of characters, such as [^/]*, or set a bound, such as {1,5}",
            )
        first = self.first(body, frozenset())
        one_way = follow is None or (first is not None and not first & follow)
        if unbounded:
            self.scans = self.scans or (one_way and follow is not None)
            return Cost(1, 0 if one_way else 1)
        inner = self.sequence(body, _ANYTHING)
        exits = 1 if one_way and self._matches_in_one_way(body) else most - least + 1
        if inner.degree * most > 3:
            raise Refused("a repetition contains another one without an upper bound", "repeat only one of them")
        return Cost(min(exits * inner.fixed ** min(most, 40), _MAX_COST), inner.degree * most)

    def _matches_in_one_way(self, body: Sequence[Node]) -> bool:
        """Whether a text of fixed length matches, so that there is one way to repeat it."""
        return bool(body) and all(
            str(name) in _SINGLE or (str(name) == "SUBPATTERN" and self._matches_in_one_way([*value[-1]]))
            for name, value in body
        )

    # ── The characters with which something can begin ──

    def first(self, nodes: Sequence[Node], follow: frozenset[str] | None) -> frozenset[str] | None:
        """The characters that can come first in a sequence that ``follow`` comes after; None if nothing has to."""
        found: frozenset[str] = frozenset()
        for node in nodes:
            chars, can_be_empty = self._first_of(node)
            found |= chars
            if not can_be_empty:
                return found
        if follow is None:
            return found or None
        return found | follow

    def _first_of(self, node: Node) -> tuple[frozenset[str], bool]:
        self._budget -= 1
        if self._budget < 0:
            raise Refused("it is too complex", "use a simpler one")
        name, value = str(node[0]), node[1]
        if name in _SINGLE:
            return self.characters(node), False
        if name == "AT":
            return frozenset(), str(value) not in ("AT_END", "AT_END_STRING") or bool(self.flags & re.MULTILINE)
        if name == "SUBPATTERN":
            return self._first_of_sequence([*value[-1]])
        if name == "BRANCH":
            branches = [self._first_of_sequence([*branch]) for branch in value[1]]
            return frozenset().union(*(chars for chars, _ in branches)), any(empty for _, empty in branches)
        if name in _REPEATS:
            chars, can_be_empty = self._first_of_sequence([*value[2]])
            return chars, can_be_empty or value[0] == 0
        return (frozenset(), True) if name in ("ASSERT", "ASSERT_NOT") else (_ANYTHING, True)

    def _first_of_sequence(self, nodes: Sequence[Node]) -> tuple[frozenset[str], bool]:
        found: frozenset[str] = frozenset()
        for node in nodes:
            chars, can_be_empty = self._first_of(node)
            found |= chars
            if not can_be_empty:
                return found, False
        return found, True

    def characters(self, node: Node) -> frozenset[str]:
        """The characters of the alphabet that a class contains; all with the same letter if the case is ignored."""
        name, value = str(node[0]), node[1]
        if name == "ANY":
            found = {char for char in self.alphabet if char != "\n" or self.flags & re.DOTALL}
        elif name == "IN":
            negated = bool(value) and str(value[0][0]) == "NEGATE"
            members = {char for item in value if str(item[0]) != "NEGATE" for char in self._members(item)}
            found = self.alphabet - members if negated else members
            if negated and self.ignores_case:
                return frozenset(self.alphabet)
        else:
            found = {chr(value)} if name == "LITERAL" else self.alphabet - {chr(value)}
        return frozenset({each for char in found for each in self._cases(char)})

    def _cases(self, char: str) -> Iterable[str]:
        return (char, char.lower(), char.upper(), char.swapcase()) if self.ignores_case else (char,)

    def _members(self, item: Node) -> Iterable[str]:
        name, value = str(item[0]), item[1]
        if name == "LITERAL":
            return (chr(value),)
        if name == "RANGE":
            return (*(char for char in self.alphabet if value[0] <= ord(char) <= value[1]), chr(value[0]))
        category = str(value).removeprefix("CATEGORY_")
        is_in = _CATEGORIES[category.removeprefix("NOT_")]
        return (char for char in self.alphabet if bool(is_in(char)) is not category.startswith("NOT_"))


_CATEGORIES = {
    "DIGIT": re.compile(r"\d").match,
    "SPACE": re.compile(r"\s").match,
    "WORD": re.compile(r"\w").match,
}

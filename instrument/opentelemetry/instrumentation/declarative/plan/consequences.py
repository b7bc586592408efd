"""Which problems are consequences of an entry that is missing: of one left out as invalid, or removed by an overlay."""

from __future__ import annotations

from collections.abc import Mapping

from opentelemetry.instrumentation.declarative.diagnostics.problems import Problem
from opentelemetry.instrumentation.declarative.language.document import KeyPath

#: Stands for the subject of the problem, for any key, and for any keys.
_SUBJECT, _ANY, _ANY_PATH = "<subject>", "*", "**"

#: By the code of a problem: the places in a spec at which the entry can be that the problem says is missing.
_PLACES: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "unknown-hook": (("hooks", _SUBJECT),),
    "unknown-span": (("spans", _SUBJECT),),
    "unknown-extension": (("extensions", _SUBJECT),),
    "unknown-owner": (("owners", _SUBJECT),),
    "unknown-function": (("functions", _SUBJECT),),
    "unknown-attribute": (
        ("spans", _ANY, "attributes", _SUBJECT),
        ("spans", _ANY, "end", "attributes", _SUBJECT),
        ("spans", _ANY, "attribute_groups", _ANY, "attributes", _SUBJECT),
    ),
    "unknown-name": (
        ("hooks", _ANY, "names", _SUBJECT),
        ("hooks", _ANY, "each", _SUBJECT),
        ("hooks", _ANY, "collect", _SUBJECT),
        ("hooks", _ANY, "unpack"),
        ("spans", _ANY, "start", "names", _SUBJECT),
        ("spans", _ANY, "counts", _SUBJECT),
        ("context", _SUBJECT),
    ),
    "no-key": (
        ("spans", _SUBJECT, "key"),
        ("spans", _SUBJECT, "events", _ANY, "key"),
        ("spans", _SUBJECT, "attribute_groups", _ANY, "key"),
    ),
    "no-value": (("metrics", _SUBJECT, "value"), ("metrics", _SUBJECT, "values")),
    # An attribute for the entries of a mapping, wherever it is.
    "missing-key": ((_ANY_PATH, "attributes", _SUBJECT, "only"),),
    "no-lifetime": tuple(("spans", _SUBJECT, key) for key in ("around", "start", "end", "at")),
}


def follows_from(problem: Problem, missing: KeyPath) -> bool:
    """Whether a problem is a consequence of the absence of the entry at a path of the document."""
    if missing[:1] == ("releases",):  # an entry of a release is merged into the rest of the document
        missing = missing[2:]
    places = _PLACES.get(problem.code, ()) if problem.subject is not None else ()
    return bool(missing) and any(_covers(missing, place, problem.subject) for place in places)


def _covers(missing: KeyPath, place: tuple[str, ...], subject: str | None) -> bool:
    """Whether a place is at or below the path that is missing."""
    if place[0] == _ANY_PATH:
        missing, place = missing[1 - len(place) :], place[1:]
    if len(missing) == 2 and place[1] == _ANY:
        return False  # an entry that is left out as a whole is not what another entry lacks a part of
    return len(missing) <= len(place) and all(
        step == (subject if expected == _SUBJECT else step if expected == _ANY else expected)
        for step, expected in zip(missing, place, strict=False)
    )

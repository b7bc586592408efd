"""Finds attributes that are probably keys of the rule around them, indented too much, such as ``kind: client``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import get_args

from opentelemetry.instrumentation.declarative.diagnostics.problems import Mark, Problem
from opentelemetry.instrumentation.declarative.language.document import Document
from opentelemetry.instrumentation.declarative.language.values import PHASES, SpanKind
from opentelemetry.instrumentation.declarative.lint.plan_parts import lint_warning

_MOMENT = re.compile(rf"[a-z]\w*\.({'|'.join(PHASES)})")
_CONDITION = re.compile(r".*([=!]=|[<>]|\b(is|in|not|and|or)\b).*")
#: The keys of a span, and the values that are those of the key rather than an attribute.
_VALUES: Mapping[str, re.Pattern[str]] = {
    "around": re.compile(r"[\w.]+:[\w.]+"),
    "kind": re.compile("|".join(get_args(SpanKind))),
    "name": re.compile(r".*\{.+\}.*"),
    "parent": re.compile("none|current|current_or_ended"),
    "at": _MOMENT,
    "start": _MOMENT,
    "end": _MOMENT,
    "when": _CONDITION,
}


def with_displaced_keys(problems: Iterable[Problem], documents: Iterable[Document]) -> list[Problem]:
    """The problems, with the right help for those of such attributes, and warnings about conditions among them."""
    found = {mark: key for document in documents for key, mark in _displaced_keys(document)}
    helped: list[Problem] = []
    for problem in problems:
        key = next((found.pop(mark) for mark in [*found] if mark.contains(problem.mark)), None)
        helped.append(problem if key is None else replace(problem, help=_help(key), suggestion=None))
    conditions = [mark for mark, key in found.items() if key == "when"]
    message = 'the attribute "when" records whether the condition is true'
    return [*helped, *(lint_warning(mark, "verbatim-text", message, _help("when")) for mark in conditions)]


def _help(key: str) -> str:
    return f'"{key}" is a key of the rule: write it beside `attributes`, with less indentation'


def _displaced_keys(document: Document) -> Iterator[tuple[str, Mark]]:
    for path, mark in document.marks.items():
        key = path[-1] if path[-2:-1] == ("attributes",) else None
        value = document.value_at(path)
        if isinstance(value, str) and (form := _VALUES.get(str(key))) and form.fullmatch(value):
            yield str(key), mark

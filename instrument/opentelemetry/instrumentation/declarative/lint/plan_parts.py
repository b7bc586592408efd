"""Walks over all parts of a plan."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from opentelemetry.instrumentation.declarative.diagnostics.problems import Mark, Problem
from opentelemetry.instrumentation.declarative.expressions import Expression
from opentelemetry.instrumentation.declarative.language.node_type import Node


def parts_of(value: Any) -> Iterator[Any]:
    """Every object in a part of a plan, once each: the same rule can be at several moments."""
    seen: set[int] = set()
    remaining = [value]
    while remaining:
        part = remaining.pop()
        if isinstance(part, Mapping):
            remaining += part.values()
        elif isinstance(part, (tuple, list)) and not isinstance(part, Mark):
            remaining += part
        elif is_dataclass(part) and id(part) not in seen:
            seen.add(id(part))
            yield part
            if not isinstance(part, (Expression, Node)):
                remaining += [getattr(part, field.name) for field in fields(part)]


def expressions_in(value: Any) -> Iterator[Expression]:
    """Every expression in a part of a plan."""
    return (part for part in parts_of(value) if isinstance(part, Expression))


def lint_warning(mark: Mark, code: str, message: str, help: str) -> Problem:
    return Problem(mark, code, message, help, "warning")

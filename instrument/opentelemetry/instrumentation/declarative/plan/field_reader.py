"""Reads the expressions of nodes at the moments that their fields declare."""

from __future__ import annotations

from collections.abc import Mapping

from opentelemetry.instrumentation.declarative.expressions import Expression
from opentelemetry.instrumentation.declarative.language.node_type import Node, ReadAt
from opentelemetry.instrumentation.declarative.language.nodes.each import Each
from opentelemetry.instrumentation.declarative.language.nodes.span import SpanType
from opentelemetry.instrumentation.declarative.language.values import Text
from opentelemetry.instrumentation.declarative.plan.expression_reader import ENTER, EXIT, ExpressionReader, Phases

#: Help for an expression that is read too early.
_HELP: Mapping[ReadAt, str] = {
    "call": "a hook is evaluated when its call starts: read it in a span or event at return, raise or exit",
    "start": "use a value that is available when the span starts",
}


class FieldReader:
    """Parses the fields of nodes, and checks that the names in them exist at the moments that the fields declare.

    ``phases``: the phases of a call at which each of these moments is. ``help``: what to do about a name that does not
    exist yet, if nothing else is known.
    """

    def __init__(self, reader: ExpressionReader, phases: Mapping[ReadAt, Phases], help: str | None = None) -> None:
        self._reader = reader
        self._phases = phases
        self._help = help

    def phases(self, node: type[Node], field: str) -> Phases:
        """The phases at which a field of a node is read."""
        read = node.key_of(field).read
        assert read is not None, (node, field)
        return self._phases[read]

    def help(self, node: type[Node], field: str) -> str | None:
        """The help for a name in a field that does not exist yet."""
        read = node.key_of(field).read
        return _HELP.get(read, self._help) if read else None

    def text(self, text: Text | Each | None, node: type[Node], field: str) -> Expression | None:
        """Parse a text that belongs to a field of a node. Of each of a list, it is that of the list."""
        found = text.each if isinstance(text, Each) else text
        return self._reader.optional(found, self.phases(node, field), self.help(node, field))

    def expression(self, node: Node, field: str) -> Expression | None:
        """Parse the expression of a field; None if there is none, or if it is not valid."""
        return self.text(getattr(node, field), type(node), field)

    def key(self, text: Text | Each | None, node: type[Node], field: str) -> Expression | None:
        """Parse the key of a span, or a list of keys. A tuple of which a part is missing is missing."""
        found = self.text(text, node, field)
        return found if found is None or isinstance(text, Each) else found.of_key()


def before_calls(reader: ExpressionReader) -> FieldReader:
    """Reads what belongs to a hook: before the call."""
    return FieldReader(reader, {"call": ENTER})


def at_moments(reader: ExpressionReader, phases: Phases) -> FieldReader:
    """Reads a rule that applies at moments of these phases, with everything that is part of it."""
    return FieldReader(reader, {"moment": phases, "rule": phases})


def of_span(reader: ExpressionReader, span: SpanType) -> FieldReader:
    """Reads a span type: at its start, and at its end."""
    start, end = _lifetime(span)
    return FieldReader(reader, {"call": start, "start": start, "end": end, "start or end": (*start, *end)})


def _lifetime(span: SpanType) -> tuple[Phases, Phases]:
    """The phases at which a span starts and ends. EXIT, at which all names exist, if the spec does not say."""
    if span.around:
        return ENTER, EXIT
    if span.at:
        return (span.at.phase,), (span.at.phase,)
    return tuple(start.at.phase for start in span.starts) or EXIT, tuple(end.at.phase for end in span.ends) or EXIT

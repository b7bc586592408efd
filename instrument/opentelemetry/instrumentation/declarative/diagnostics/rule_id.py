"""The identity of a rule of a spec, in messages, counters and reports."""

from typing import Literal, NamedTuple

from opentelemetry.instrumentation.declarative.diagnostics.problems import Mark

RuleKind = Literal[
    "hook",
    "collection",
    "span",
    "attribute",
    "attribute group",
    "status",
    "event",
    "link",
    "log record",
    "function",
    "count",
    "metric",
    "context value",
    "extraction",
    "suppression",
    "injection",
    "extension",
    "owner",
    "sink",
]
#: The part of an entry that is a rule of its own: the start or end of a span, its key, the injection of a part of its
#: context, or reading the arguments, the value or the list of a hook. None: the whole entry.
RulePart = Literal[
    "start",
    "end",
    "key",
    "traceparent",
    "tracestate",
    "span_context",
    "baggage",
    "carrier",
    "arguments",
    "value",
    "each",
]


class RuleId(NamedTuple):
    """A rule: the kind of the spec's entry, its name, where it is written, and which part of the entry it is."""

    kind: RuleKind
    name: str
    mark: Mark
    part: RulePart | None = None

    @property
    def title(self) -> str:
        """The rule in a few words: ``span checkout starts``."""
        subject = f"{self.kind} {self.name}"
        if self.kind == "extension":
            return f"{subject} is installed"
        if self.kind == "owner":
            return f"{subject} is closed"
        match self.part:
            case "start":
                return f"{subject} starts"
            case "end":
                return f"{subject} ends"
            case "carrier":
                return f"{subject} injects its context"
            case "traceparent" | "tracestate" | "span_context" | "baggage":
                return f"{subject} injects {self.part}"
            case "value":
                return f"{subject} finds its value"
            case "each":
                return f"the list of {subject}"
            case "key" | "arguments":
                return f"the {self.part} of {subject}"
        return subject

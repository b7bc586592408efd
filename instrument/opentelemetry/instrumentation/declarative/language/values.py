"""The types that values of a spec are decoded to, besides plain values and nodes. Each keeps its mark."""

from __future__ import annotations

from typing import Literal, TypeVar, get_args

from opentelemetry.instrumentation.declarative.diagnostics.problems import Mark
from opentelemetry.instrumentation.declarative.records import record

T = TypeVar("T")

Phase = Literal["enter", "item", "return", "raise", "exit"]
PHASES: tuple[Phase, ...] = get_args(Phase)
SpanKind = Literal["internal", "client", "server", "producer", "consumer"]
#: The current span, the one that was current before the call, or the first of the trace in this process.
SpanOfCall = Literal["current", "parent", "root"]
#: The instrumentation that is suppressed during a call: all of it, that of HTTP clients, or that of calls to models.
Suppressed = Literal["instrumentation", "http", "model_calls"]
#: A part of a trace context as it is written to a field.
ContextPart = Literal["traceparent", "tracestate", "span_context", "baggage", "carrier"]
Instrument = Literal["counter", "up_down_counter", "histogram", "gauge"]
Constant = str | int | float | bool | list[str]


@record(frozen=True)
class Text:
    """A text of the spec, usually an expression or a template, with its mark."""

    value: str
    mark: Mark


@record(frozen=True)
class MarkedFlag:
    """A value that is true or false, with its mark."""

    value: bool
    mark: Mark


@record(frozen=True)
class Target:
    """A callable or class by its module and its qualified name: ``shop.cart:Cart.checkout``."""

    module: str
    path: str
    mark: Mark

    def __str__(self) -> str:
        return f"{self.module}:{self.path}"


@record(frozen=True)
class Moment:
    """A moment of a hook. ``exit`` stands for both ``return`` and ``raise``."""

    hook: str
    phase: Phase
    mark: Mark


class Entries(dict[str, T]):
    """The entries of a mapping with names of the author's choice, and the marks of these names."""

    __slots__ = ("key_marks",)

    def __init__(self) -> None:
        super().__init__()
        self.key_marks: dict[str, Mark] = {}


def literal_template(text: str, mark: Mark) -> Text:
    """The template for a text without expressions."""
    return Text(text.replace("{", "{{").replace("}", "}}"), mark)

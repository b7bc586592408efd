"""A sampler that keeps or drops whole conversations: all spans with the same value of an attribute, in any process."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from hashlib import blake2b
from typing import Any

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.trace.sampling import Decision, Sampler, SamplingResult
from opentelemetry.trace import Link, SpanKind, TraceState

#: The trace id and the hash of a value are compared in these bits.
BITS = (1 << 64) - 1


class AttributeRatio(Sampler):
    """Samples a part of all conversations. A conversation is what has the same value of an attribute.

    The attributes are tried in their order. A span that has one of them is sampled if the hash of its value is in the
    part, whatever its parent is. A span that has none of them follows its parent, and a root span is sampled by its
    trace id.
    """

    def __init__(self, ratio: float, *attributes: str) -> None:
        if not 0 <= ratio <= 1:
            raise ValueError(f"the ratio {ratio} is not between 0 and 1")
        if not attributes or not all(attributes):
            raise ValueError("the name of an attribute is missing. Add it after the ratio, as in `0.1,session.id`")
        self.ratio = ratio
        self.attributes = attributes
        #: As in OpenTelemetry's TraceIdRatioBased.
        self.bound = round(ratio * (BITS + 1))

    @classmethod
    def of_argument(cls, argument: str | None) -> AttributeRatio:
        """The sampler that ``OTEL_TRACES_SAMPLER_ARG`` describes: the ratio and the names of attributes."""
        ratio, *attributes = [part.strip() for part in (argument or "").split(",")]
        try:
            found = float(ratio)
        except ValueError:
            raise ValueError(
                f"OTEL_TRACES_SAMPLER_ARG is {argument!r}: expected a ratio and the name of an attribute, "
                "such as `0.1,session.id`"
            ) from None
        return cls(found, *attributes)

    def should_sample(
        self,
        parent_context: Context | None,
        trace_id: int,
        name: str,
        kind: SpanKind | None = None,
        attributes: Any = None,
        links: Sequence[Link] | None = None,
        trace_state: TraceState | None = None,
    ) -> SamplingResult:
        parent = trace.get_current_span(parent_context).get_span_context()
        value = first_value(self.attributes, attributes)
        if value is not None:
            is_sampled = hashed(value) < self.bound
        elif parent.is_valid:
            is_sampled = parent.trace_flags.sampled
        else:
            is_sampled = trace_id & BITS < self.bound
        state = parent.trace_state if parent.is_valid else None
        if is_sampled:
            return SamplingResult(Decision.RECORD_AND_SAMPLE, attributes, state)
        return SamplingResult(Decision.DROP, None, state)

    def get_description(self) -> str:
        return f"AttributeRatio{{{','.join([str(self.ratio), *self.attributes])}}}"


def first_value(names: Sequence[str], attributes: Any) -> Any:
    """The value of the first of these attributes that is present."""
    if attributes:
        for name in names:
            if (value := attributes.get(name)) is not None:
                return value
    return None


def hashed(value: Any) -> int:
    """A number below 2**64 that is the same for equal values in every process."""
    if isinstance(value, list):
        value = tuple(value)  # as in a span
    return _hashed_text(value if type(value) is str else str(value))


@lru_cache(maxsize=4096)
def _hashed_text(text: str) -> int:
    return int.from_bytes(blake2b(text.encode("utf-8", "replace"), digest_size=8).digest(), "big")

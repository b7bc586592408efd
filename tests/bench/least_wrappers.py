"""The least that traces an envelope: wrappers by hand around the methods of AG2 that the shipped spec hooks.

They make the same light span, with the attributes of AG2's own tracing, write its context into the envelope, find it
again in a dict, and end it. They have no links, owners, kept contexts, switches, checks of values or protection from
failures, and cannot be removed while a call is in progress.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest import mock

from ag2.network import Envelope
from ag2.network.hub.core import Hub
from opentelemetry.instrumentation.declarative.runtime.context.current import ROOT
from opentelemetry.instrumentation.declarative.runtime.context.trace_context import traceparent
from opentelemetry.instrumentation.declarative.runtime.starting.sdk_span_starter import SdkStarter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import Span, SpanKind

Method = Callable[..., Any]
_NOT_TRACED = ("ag2.channel.", "ag2.task.")


def attributes_of(envelope: Envelope) -> dict[str, Any]:
    attributes: dict[str, Any] = {
        "ag2.span.type": "envelope",
        "ag2.network.channel_id": envelope.channel_id,
        "ag2.network.sender_id": envelope.sender_id,
        "ag2.network.event_type": envelope.event_type,
        "ag2.network.envelope_id": envelope.envelope_id,
    }
    if envelope.causation_id:
        attributes["ag2.network.causation_id"] = envelope.causation_id
    if envelope.audience is not None:
        attributes["ag2.network.audience"] = tuple(envelope.audience)
    return attributes


def only_calling(original: Method) -> Method:
    async def wrapper(self: Hub, *args: Any) -> Any:
        return await original(self, *args)

    return wrapper


def starting(original: Method, starter: SdkStarter, spans: dict[str, Span]) -> Method:
    async def wrapper(self: Hub, envelope: Envelope) -> Any:
        if not envelope.event_type.startswith(_NOT_TRACED):
            recorded, span = starter.decide(ROOT)
            if recorded:
                name = "network.envelope " + envelope.event_type
                span = starter.start(span, name, attributes_of(envelope), ROOT, (), None)
            assert span is not None
            spans[envelope.envelope_id] = span
            envelope.trace_id = traceparent(span)
        return await original(self, envelope)

    return wrapper


def ending(original: Method, spans: dict[str, Span]) -> Method:
    async def wrapper(self: Hub, envelope: Envelope, metadata: Any) -> Any:
        result = await original(self, envelope, metadata)
        if (span := spans.pop(envelope.envelope_id, None)) is not None:
            span.end()
        return result

    return wrapper


@contextmanager
def least(provider: TracerProvider) -> Iterator[None]:
    """Trace envelopes with the least."""
    starter = SdkStarter(provider.get_tracer("least"), SpanKind.PRODUCER, light=True, needs_context=True)
    spans: dict[str, Span] = {}
    methods: Any = vars(Hub)
    wrappers = {
        "_wal_append": starting(methods["_wal_append"], starter, spans),
        "_dispatch": ending(methods["_dispatch"], spans),
        "_post_envelope_impl": only_calling(methods["_post_envelope_impl"]),
        "_fan_out": only_calling(methods["_fan_out"]),
    }
    with ExitStack() as stack:
        for name, wrapper in wrappers.items():
            stack.enter_context(mock.patch.object(Hub, name, wrapper))
        yield

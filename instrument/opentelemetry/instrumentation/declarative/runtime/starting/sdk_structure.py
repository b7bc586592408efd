"""Whether the installed SDK is built as light spans and early decisions presume: checked once, by its structure.

Each function whose work is done here instead, or relied on, may only use names that are known. A release that does more
uses others, and then the SDK's own functions start its spans.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from opentelemetry.attributes import BoundedAttributes
from opentelemetry.sdk.trace import ReadableSpan, Span, Tracer, _Span
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.sdk.trace.sampling import ParentBased, StaticSampler, TraceIdRatioBased
from opentelemetry.sdk.util import BoundedList
from opentelemetry.trace import INVALID_SPAN_CONTEXT, SpanContext, TraceFlags, TraceState

#: The fields of a span that has not started.
_SPAN_FIELDS = """_name _context _kind _instrumentation_info _instrumentation_scope _parent _start_time _end_time
    _attributes _events _links _resource _status _sampler _trace_config _record_exception _set_status_on_exception
    _span_processor _limits _lock _record_end_metrics"""
#: The fields of what exporters receive.
READABLE_FIELDS = """_name _context _kind _instrumentation_info _instrumentation_scope _parent _start_time _end_time
    _attributes _events _links _resource _status"""
_LIST_FIELDS = "dropped _dq _lock"
_ATTRIBUTES_FIELDS = "maxlen dropped max_value_len _extended_attributes _dict _lock _immutable"


def _read(attribute: Any) -> Any:
    """The function of a property."""
    return getattr(attribute, "fget", None)


_RANDOM = "random getrandbits trace"
_NAMES: list[tuple[Callable[..., Any], str]] = [
    (
        Tracer.start_span,
        """trace_api get_current_span get_span_context isinstance SpanContext TypeError _is_enabled NonRecordingSpan
        is_valid id_generator generate_trace_id trace_id sampler should_sample decision is_sampled TraceFlags SAMPLED
        DEFAULT is_trace_id_random trace_flags random_trace_id RANDOM_TRACE_ID generate_span_id trace_state
        _tracer_metrics start_span is_recording _Span resource attributes copy span_processor instrumentation_info
        _span_limits _instrumentation_scope start""",
    ),
    (
        Span.__init__,
        f"""Resource create super __init__ threading Lock BoundedAttributes max_span_attributes
        max_span_attribute_length _new_events max_event_attributes attributes max_attribute_length append _new_links
        {_SPAN_FIELDS}""",
    ),
    (ReadableSpan.__init__, f"Resource create {READABLE_FIELDS}"),
    (_read(ReadableSpan.attributes), "MappingProxyType _attributes"),
    (_read(ReadableSpan.dropped_attributes), "isinstance _attributes BoundedAttributes dropped"),
    (_read(ReadableSpan.dropped_events), "isinstance _events BoundedList dropped"),
    (_read(ReadableSpan.dropped_links), "isinstance _links BoundedList dropped"),
    (Span._readable_span, f"ReadableSpan kind {READABLE_FIELDS}"),
    (
        Span._new_links,
        """BoundedList _limits max_links _is_valid_link context attributes BoundedAttributes max_link_attributes
        max_attribute_length _attributes append from_seq""",
    ),
    (Span._new_events, "BoundedList _limits max_events"),
    (Span.start, "_lock _start_time logger warning time_ns _span_processor on_start"),
    (
        Span.end,
        """_lock _start_time RuntimeError _end_time logger warning time_ns _attributes _immutable _record_end_metrics
        _span_processor _on_ending on_end _readable_span""",
    ),
    (
        SpanContext.__new__,
        """DEFAULT_TRACE_OPTIONS DEFAULT_TRACE_STATE INVALID_TRACE_ID _TRACE_ID_MAX_VALUE
        INVALID_SPAN_ID _SPAN_ID_MAX_VALUE tuple __new__""",
    ),
    (RandomIdGenerator.generate_trace_id, f"{_RANDOM} INVALID_TRACE_ID"),
    (RandomIdGenerator.generate_span_id, f"{_RANDOM} INVALID_SPAN_ID"),
    (StaticSampler.should_sample, "_decision Decision DROP SamplingResult _get_parent_trace_state"),
    (
        TraceIdRatioBased.should_sample,
        "Decision DROP TRACE_ID_LIMIT bound RECORD_AND_SAMPLE SamplingResult _get_parent_trace_state",
    ),
    (
        ParentBased.should_sample,
        """get_current_span get_span_context _root is_valid is_remote trace_flags sampled _remote_parent_sampled
        _remote_parent_not_sampled _local_parent_sampled _local_parent_not_sampled should_sample""",
    ),
]


@functools.cache
def is_known() -> bool:
    """Whether everything that is relied on is as presumed."""
    try:
        return all(_uses_only(function, names) for function, names in _NAMES) and _behaves_as_presumed()
    except Exception:
        return False


def _uses_only(function: Any, names: str) -> bool:
    """Whether a function is the SDK's own and uses no other names. Another tool may have replaced it."""
    is_own = function.__module__.startswith("opentelemetry.") and not hasattr(function, "__wrapped__")
    return is_own and {*function.__code__.co_names} <= {*names.split()}


def _behaves_as_presumed() -> bool:
    values: dict[str, Any] = {"text": "text", "number": 1, "ratio": 0.5, "truth": True, "several": ("text",)}
    attributes = BoundedAttributes(8, values, immutable=False)
    state = TraceState()
    context = SpanContext(1, 2, False, TraceFlags(1), state)
    return (
        [*attributes.copy().items()] == [*values.items()]
        and {*vars(attributes)} <= {*_ATTRIBUTES_FIELDS.split()}
        and {*vars(BoundedList(None))} == {*_LIST_FIELDS.split()}
        and {*vars(_Span("", INVALID_SPAN_CONTEXT))} <= {*_SPAN_FIELDS.split()}
        and {*vars(ReadableSpan(""))} == {*READABLE_FIELDS.split()}
        and tuple(context) == (1, 2, False, TraceFlags(1), state, True)
        and not Span.__dict__.get("__slots__")
    )

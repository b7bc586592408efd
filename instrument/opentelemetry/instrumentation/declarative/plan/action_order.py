"""The order of actions at one stage of a call."""

from __future__ import annotations

from opentelemetry.instrumentation.declarative.plan.actions import Action
from opentelemetry.instrumentation.declarative.plan.call_actions import (
    EndOwnedSpans,
    ExtractContext,
    HookValue,
    InjectContext,
    InstallExtension,
    RecordMetric,
    SetContextValue,
    SetField,
    SuppressInstrumentation,
)
from opentelemetry.instrumentation.declarative.plan.open_span_actions import (
    AddEvent,
    AddLink,
    CallFunction,
    EmitLog,
    IncrementCount,
    SetAttributes,
    SetStatus,
)
from opentelemetry.instrumentation.declarative.plan.span_actions import EndSpan, RecordSpan, StartSpan, TraceCall

#: The order of actions at one stage of one hook: a span exists before its events, and these precede its end. Actions of
#: one group keep the order of the spec.
_ORDER: tuple[tuple[type[Action], ...], ...] = (
    (ExtractContext,),
    (TraceCall,),
    (StartSpan,),
    (RecordSpan,),
    (AddEvent, AddLink, SetAttributes, SetStatus, EmitLog),
    (CallFunction,),
    (IncrementCount,),
    (RecordMetric,),
    (InjectContext, SetField),
    (EndSpan,),
    (HookValue,),
    (SetContextValue, SuppressInstrumentation),
    (InstallExtension,),
    (EndOwnedSpans,),
)


#: What surrounds a call, and cannot happen several times in it.
AROUND_CALL = (TraceCall, SetContextValue, SuppressInstrumentation, ExtractContext)


def position(action: Action) -> int:
    """The position of an action among those at the same stage."""
    return next(index for index, types in enumerate(_ORDER) if isinstance(action, types))

"""What samplers decide, as bounds for the trace id.

Those of the SDK look at neither the name nor the attributes, and ``AttributeRatio`` looks at one attribute, without
which it decides by the trace id as well.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from opentelemetry.instrumentation.declarative.runtime.sampling.attribute_ratio import BITS, AttributeRatio
from opentelemetry.sdk.trace.sampling import Decision, ParentBased, Sampler, StaticSampler, TraceIdRatioBased

#: A span is recorded and sampled if the bits of its trace id are below the bound.
NEVER, ALWAYS = 0, 1 << 64


class Bounds(NamedTuple):
    """The bound for a span without a parent, and for the kinds of parent, in this order."""

    root: int
    remote_sampled: int
    remote_unsampled: int
    local_sampled: int
    local_unsampled: int


def bounds_of(sampler: Any) -> Bounds | None:
    """Return the bounds of a sampler; None if it is not one of the SDK's, or its decision depends on something else."""
    if type(sampler) is AttributeRatio and "should_sample" not in vars(sampler):
        return Bounds(sampler.bound, ALWAYS, NEVER, ALWAYS, NEVER)
    return _bounds_of_sdk(sampler)


def _bounds_of_sdk(sampler: Any) -> Bounds | None:
    decide = getattr(type(sampler), "should_sample", None)
    if type(sampler).__module__ != Sampler.__module__ or "should_sample" in vars(sampler):
        return None
    if decide is StaticSampler.should_sample:
        bound = {Decision.DROP: NEVER, Decision.RECORD_AND_SAMPLE: ALWAYS}.get(sampler._decision)
        return None if bound is None else Bounds(*[bound] * 5)
    if decide is TraceIdRatioBased.should_sample and sampler.TRACE_ID_LIMIT == BITS:
        return Bounds(*[sampler.bound] * 5)
    if decide is ParentBased.should_sample:
        found = [_bounds_of_sdk(getattr(sampler, f"_{field}", None)) for field in _DELEGATES]
        return None if None in found else Bounds(*(each[place] for place, each in enumerate(found) if each is not None))
    return None


#: If the attribute that an ``AttributeRatio`` looks at has decided.
DROPPED, SAMPLED = (Bounds(*[bound] * 5) for bound in (NEVER, ALWAYS))

#: The samplers that a ``ParentBased`` asks, in the order of the fields of ``Bounds``.
_DELEGATES = (
    "root",
    "remote_parent_sampled",
    "remote_parent_not_sampled",
    "local_parent_sampled",
    "local_parent_not_sampled",
)

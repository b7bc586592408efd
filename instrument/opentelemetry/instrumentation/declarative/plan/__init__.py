"""The plan: per callable, what is to be done at each moment, in order.

Pure: nothing is imported but the spec; neither the library nor OpenTelemetry. Everything that can be known of a spec
without the library is checked here; names of parameters are checked when a wrapper is made, with the signature at hand.
"""

from opentelemetry.instrumentation.declarative.plan.planner import make_plan

__all__ = ["make_plan"]

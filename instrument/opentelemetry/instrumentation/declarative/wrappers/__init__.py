"""From a plan and a signature to one generated function per callable."""

from opentelemetry.instrumentation.declarative.runtime.spec_runtime import Runtime
from opentelemetry.instrumentation.declarative.wrappers.builder import make_wrapper
from opentelemetry.instrumentation.declarative.wrappers.wrapper import Former, Wrapper

__all__ = ["Former", "Runtime", "Wrapper", "make_wrapper"]

"""From a plan and a signature to one generated function per callable."""

from opentelemetry.instrumentation.declarative.runtime.spec_runtime import Runtime
from opentelemetry.instrumentation.declarative.wrappers.builder import make_wrapper
from opentelemetry.instrumentation.declarative.wrappers.wrapper import CodeSwitch, Wrapper

__all__ = ["CodeSwitch", "Runtime", "Wrapper", "make_wrapper"]

"""Generates one function per callable from a plan and the callable's signature."""

from opentelemetry.instrumentation.declarative.runtime.spec_runtime import SpecRuntime
from opentelemetry.instrumentation.declarative.wrappers.builder import make_caller, make_wrapper
from opentelemetry.instrumentation.declarative.wrappers.wrapper import Wrapper

__all__ = ["SpecRuntime", "Wrapper", "make_caller", "make_wrapper"]

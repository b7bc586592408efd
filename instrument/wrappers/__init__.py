"""From a plan and a signature to one generated function per callable."""

from instrument.wrappers.build import Former, Wrapper, make_wrapper
from instrument.wrappers.runtime_for import Runtime

__all__ = ["Former", "Runtime", "Wrapper", "make_wrapper"]

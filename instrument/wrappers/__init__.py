"""From a plan and a signature to one generated function per callable."""

from instrument.wrappers.build import make_wrapper
from instrument.wrappers.runtime_for import Runtime
from instrument.wrappers.wrapper import Former, Wrapper

__all__ = ["Former", "Runtime", "Wrapper", "make_wrapper"]

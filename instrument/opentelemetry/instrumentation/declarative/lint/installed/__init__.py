"""A spec against the libraries that are installed beside it; importing these runs their code."""

from opentelemetry.instrumentation.declarative.lint.installed.verification import Verification

__all__ = ["Verification"]

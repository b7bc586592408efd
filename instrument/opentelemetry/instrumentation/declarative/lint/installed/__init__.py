"""Checks of a spec against the installed libraries. They import the libraries, which runs their code."""

from opentelemetry.instrumentation.declarative.lint.installed.verification import Verification

__all__ = ["Verification"]

"""Logs the problems of a file together with their consequence."""

from __future__ import annotations

from opentelemetry.instrumentation.declarative.diagnostics.log import logger
from opentelemetry.instrumentation.declarative.diagnostics.problems import SpecError, counted


def log_spec_error(error: SpecError, consequence: str) -> None:
    """Log every problem of a spec or a configuration file at its line, and what follows from them."""
    count = counted(len(error.problems), "problem")
    logger.error("%s\n%s: %s; the program is not affected.", error, count, consequence)

"""Logs the problems of a file together with their consequence."""

from __future__ import annotations

from opentelemetry.instrumentation.declarative.diagnostics.log import logger
from opentelemetry.instrumentation.declarative.diagnostics.problems import SpecError


def log_spec_error(error: SpecError, consequence: str) -> None:
    """Log every problem of a spec or a configuration file at its line, and what follows from them."""
    count = len(error.problems)
    logger.error(
        "%s\n%d problem%s: %s; the program is not affected.", error, count, "" if count == 1 else "s", consequence
    )

"""Log records, emitted through OpenTelemetry's logs API in all releases that are supported.

The API before 1.35 has no event name and no context, and SDKs before 1.39 accept only records of a class of their own.
Whether a logger is enabled can be asked since 1.43. All of this is here.
"""

from __future__ import annotations

import inspect
import sys
import time
from collections.abc import Mapping
from functools import cache
from typing import Any

from opentelemetry._logs import Logger, LogRecord, NoOpLogger, SeverityNumber
from opentelemetry.instrumentation.declarative.expressions.conversion import to_plain
from opentelemetry.instrumentation.declarative.runtime.context.current import current_context, enabled, with_span
from opentelemetry.instrumentation.declarative.runtime.values.attribute_values import clean_attributes
from opentelemetry.trace import Span, get_current_span

#: The attribute for the name of an event, where records have none.
EVENT_NAME = "event.name"


class LogEmitter:
    """Emits the records of one rule. ``severity`` is OpenTelemetry's name of it in lower case."""

    def __init__(self, logger: Logger, event_name: str, severity: str | None) -> None:
        self._logger = logger
        self._event_name = event_name
        self._severity_text = severity.upper() if severity else None
        self._severity = SeverityNumber[severity.upper()] if severity else None

    def is_enabled(self) -> bool:
        """Whether a record would be used. If not, its expressions are not evaluated."""
        if not enabled():
            return False
        ask = getattr(self._logger, "enabled", None)
        if ask is not None:
            return bool(ask(severity_number=self._severity, event_name=self._event_name))
        return not isinstance(_real_logger(self._logger), NoOpLogger)

    def emit(self, body: Any, attributes: Mapping[str, Any], span: Span | None = None) -> None:
        """Emit a record in the context of a span, or else in the current context. A body that is None is left out."""
        context = current_context() if span is None else with_span(span)
        of = get_current_span(context).get_span_context()
        values: dict[str, Any] = {
            "timestamp": time.time_ns(),
            "severity_text": self._severity_text,
            "severity_number": self._severity,
            "body": None if body is None else to_plain(body),
            "attributes": clean_attributes(attributes),
        }
        record_class, parameters = _record_class(sys.modules.get("opentelemetry.sdk._logs"))
        if "context" in parameters:
            values["context"] = context
        else:
            values.update(trace_id=of.trace_id, span_id=of.span_id, trace_flags=of.trace_flags)
        if "event_name" in parameters:
            values["event_name"] = self._event_name
        else:
            values["attributes"][EVENT_NAME] = self._event_name
        if "resource" in parameters:
            values["resource"] = getattr(_real_logger(self._logger), "resource", None)
        self._logger.emit(record_class(**values))


def _real_logger(logger: Any) -> Any:
    """The logger behind a proxy, which the API returns until there is a provider."""
    return getattr(logger, "_logger", logger)


@cache
def _record_class(sdk: Any) -> tuple[Any, frozenset[str]]:
    """The class of records that loggers accept, and its parameters. ``sdk`` is the module of the SDK, if loaded."""
    found = getattr(sdk, "LogRecord", LogRecord)
    return found, frozenset(inspect.signature(found).parameters)

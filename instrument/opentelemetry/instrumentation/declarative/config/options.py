"""The options and their values. docs/configuration.md lists them."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from opentelemetry.instrumentation.declarative.config import environment
from opentelemetry.instrumentation.declarative.language.content_policy import ContentPolicy, parse_content_policy


class Option(NamedTuple):
    """An option: a key of the configuration file, an argument of ``instrument()``, and a variable."""

    name: str
    variable: str
    default: str
    description: str
    #: Converts a value from any of these sources; raises ValueError or TypeError if it is invalid.
    parse: Callable[[Any], Any]
    #: What an invalid value leads to, and what to write instead.
    consequence: str
    help: str
    #: Whether the variable belongs to OpenTelemetry and also applies if there is a configuration file.
    is_standard: bool = False


def parse_switch(value: Any) -> bool:
    """Convert ``1``, ``true``, ``yes`` or ``on``, or their opposites, in any case. Raises ValueError."""
    word = str(value).strip().lower()
    if word in ("1", "true", "yes", "on"):
        return True
    if word in ("0", "false", "no", "off"):
        return False
    raise ValueError(value)


def _parse_seconds(value: Any) -> float | None:
    if str(value).strip().lower() in ("", "none"):
        return None
    seconds = float(value)
    if not 1 <= seconds < float("inf"):
        raise ValueError(value)
    return seconds


def _parse_content(value: Any) -> ContentPolicy:
    policy = parse_content_policy(str(value).strip().lower())
    if policy is None:
        raise ValueError(value)
    return policy


def _parse_captured(value: Any) -> bool:
    word = str(value).strip().upper()
    if word not in ("NO_CONTENT", "SPAN_ONLY", "EVENT_ONLY", "SPAN_AND_EVENT"):
        raise ValueError(value)
    return word in ("SPAN_ONLY", "SPAN_AND_EVENT")


def _parse_specs(value: Any) -> list[Any]:
    if isinstance(value, str):
        return [file.strip() for file in value.split(",") if file.strip()]
    return [value] if isinstance(value, (os.PathLike, Mapping)) else list(value)


def parse_names(value: Any) -> list[str]:
    """Convert names that are separated by commas, or a list of names."""
    names = value.split(",") if isinstance(value, str) else value
    return [name for each in names if (name := str(each).strip())]


#: All options except the objects that ``instrument()`` accepts, such as ``tracer_provider``.
OPTIONS = (
    Option(
        "specs",
        environment.OTEL_PYTHON_DECLARATIVE_SPECS,
        "none",
        "spec files to add to the shipped specs; in a configuration file or in Python also inline specs, as mappings",
        _parse_specs,
        "no spec is added",
        "list files, or specs as mappings",
    ),
    Option(
        "disabled_specs",
        environment.OTEL_PYTHON_DECLARATIVE_DISABLED_SPECS,
        "none",
        "names of shipped specs that are not active, such as `openai`; those in "
        "`OTEL_PYTHON_DISABLED_INSTRUMENTATIONS` are not active either",
        parse_names,
        "no spec is disabled",
        "list names of shipped specs",
    ),
    Option(
        "content",
        environment.OTEL_PYTHON_DECLARATIVE_CONTENT,
        "full",
        "how content is recorded if it is recorded at all: `full`, `truncate:200` or `sha256`",
        _parse_content,
        "no content is recorded",
        "use full, truncate:200 or sha256",
    ),
    Option(
        "capture_message_content",
        environment.CAPTURE_CONTENT,
        "NO_CONTENT",
        "whether and where content is recorded: `NO_CONTENT`, `SPAN_ONLY`, `EVENT_ONLY` or `SPAN_AND_EVENT`",
        _parse_captured,
        "no content is recorded",
        "use NO_CONTENT, SPAN_ONLY, EVENT_ONLY or SPAN_AND_EVENT",
        is_standard=True,
    ),
    Option(
        "watch",
        environment.OTEL_PYTHON_DECLARATIVE_WATCH,
        "0",
        "whether changed specs are reloaded while the program runs: `1` or `0`",
        parse_switch,
        "specs are not watched",
        "use 1 or 0",
    ),
    Option(
        "report",
        environment.OTEL_PYTHON_DECLARATIVE_REPORT,
        "none",
        "where to write [the report](report.md) of what each rule did: a file, as JSON if its name ends in `.json`, or "
        "`-` for standard error",
        str,
        "no report is written",
        "name a file",
    ),
    Option(
        "report_signal",
        environment.OTEL_PYTHON_DECLARATIVE_REPORT_SIGNAL,
        "SIGUSR1",
        "the signal on which the report is written too, or `none`",
        str,
        "no report is written on a signal",
        "name a signal, for example SIGUSR2",
    ),
    Option(
        "flush_on_signal",
        environment.OTEL_PYTHON_DECLARATIVE_FLUSH_ON_SIGNAL,
        "1",
        "whether open spans are ended and everything is exported when SIGTERM, SIGHUP or SIGINT [ends the "
        "process](processes.md#signals) by its default action: `1` or `0`",
        parse_switch,
        "nothing is exported then",
        "use 1 or 0",
    ),
    Option(
        "light_spans",
        environment.OTEL_PYTHON_DECLARATIVE_LIGHT_SPANS,
        "1",
        "whether [light spans](cost.md#light-spans), which cost less than the SDK's own, are used where that is "
        "possible: `1` or `0`",
        parse_switch,
        "the SDK's own spans are used",
        "use 1 or 0",
    ),
    Option(
        "status",
        environment.OTEL_PYTHON_DECLARATIVE_STATUS,
        "0",
        "whether the process answers [`instrument status`](how-to/open-spans.md) with its open spans: `1` or `0`",
        parse_switch,
        "the process does not answer",
        "use 1 or 0",
    ),
    Option(
        "pending_after",
        environment.OTEL_PYTHON_DECLARATIVE_PENDING_AFTER,
        "none",
        "after how many seconds, at least 1, an open span gets a "
        "[pending record](how-to/open-spans.md#pending-records); or `none`",
        _parse_seconds,
        "no pending records are written",
        "use a number of seconds from 1 on, or none",
    ),
)

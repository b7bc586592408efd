"""What the user has set, and what it means: which specs, what becomes of content, whose providers."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from instrument import environment
from instrument.log import logger
from instrument.plan.content import NO_CONTENT, Content, content_as


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of an instrumentor that is at work."""

    specs: tuple[str | os.PathLike[str], ...]
    content: Content
    tracer_provider: Any = None
    meter_provider: Any = None
    #: Which of what ships is at work, by name, beside what a listed file extends; None is all of it.
    shipped: tuple[str, ...] | None = None
    #: Whether functions are patched as well where they have been imported by name before.
    copies: bool = False


def settings(
    specs: str | os.PathLike[str] | Iterable[str | os.PathLike[str]] | None = None,
    tracer_provider: Any = None,
    meter_provider: Any = None,
) -> Settings:
    """The settings of this process. What is given here counts more than what the environment says."""
    if specs is None:
        specs = _listed()
    files = (specs,) if isinstance(specs, (str, os.PathLike)) else tuple(specs)
    return Settings(files, _content(), tracer_provider, meter_provider)


def _content() -> Content:
    """What becomes of content on spans: whether it may be recorded, as OpenTelemetry's switch says, and then how."""
    value = os.environ.get(environment.OTEL_PYTHON_DECLARATIVE_CONTENT, "").strip() or "full"
    found = content_as(value.lower())
    if found is None:
        logger.warning(
            "%s=%s has no meaning: no content is recorded. Use full, truncate:200 or sha256.",
            environment.OTEL_PYTHON_DECLARATIVE_CONTENT,
            value,
        )
    return found if found is not None and _content_allowed() else NO_CONTENT


def _content_allowed() -> bool:
    value = os.environ.get(environment.CAPTURE_CONTENT, "").strip().upper() or "NO_CONTENT"
    if value not in ("NO_CONTENT", "SPAN_ONLY", "EVENT_ONLY", "SPAN_AND_EVENT"):
        logger.warning(
            "%s=%s has no meaning: no content is recorded. Use NO_CONTENT, SPAN_ONLY, EVENT_ONLY or SPAN_AND_EVENT.",
            environment.CAPTURE_CONTENT,
            value,
        )
    return value in ("SPAN_ONLY", "SPAN_AND_EVENT")


def _listed() -> list[str]:
    value = os.environ.get(environment.OTEL_PYTHON_DECLARATIVE_SPECS, "")
    return [file.strip() for file in value.split(",") if file.strip()]

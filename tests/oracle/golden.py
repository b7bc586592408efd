"""Golden forms: the spans of each scenario on the newest AG2, as text, compared with those on every other release."""

from __future__ import annotations

from pathlib import Path

from opentelemetry.trace import TraceFlags

from .compare import NormalSpan, text_of
from .world import Result

FOLDER = Path(__file__).with_name("golden")


def file_of(name: str) -> Path:
    """The file with the golden form of a scenario."""
    return FOLDER / f"{name}.txt"


def golden_text(name: str) -> str:
    """The golden form of a scenario on the newest AG2, as recorded with the installed SDK."""
    text = file_of(name).read_text(encoding="utf-8")
    # Older releases of the SDK do not set the flag of a random trace id.
    return text if hasattr(TraceFlags, "RANDOM_TRACE_ID") else text.replace(", flags 03,", ", flags 01,")


def seen(result: Result) -> str:
    """The result for the user, as the first line of a golden form."""
    return f"The user saw {result!r}\n"


def golden_form(result: Result, trees: list[NormalSpan]) -> str:
    """The result for the user and the recorded spans."""
    return f"{seen(result)}\n{text_of(trees)}"

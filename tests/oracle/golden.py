"""What ours records of each scenario on the newest AG2, as text: what it is held against on every other release."""

from __future__ import annotations

from pathlib import Path

from .compare import NormalSpan, text_of
from .world import Result

FOLDER = Path(__file__).with_name("golden")


def file_of(name: str) -> Path:
    """The file that holds the golden form of a scenario."""
    return FOLDER / f"{name}.txt"


def seen(result: Result) -> str:
    """What the user saw, as the first line of a golden form."""
    return f"The user saw {result!r}\n"


def golden_form(result: Result, trees: list[NormalSpan]) -> str:
    """What the user saw and what was recorded."""
    return f"{seen(result)}\n{text_of(trees)}"

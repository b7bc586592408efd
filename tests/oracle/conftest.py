"""The option that writes the golden forms, and silence from AG2."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator

import pytest

from .api import PACKAGE


def pytest_addoption(parser: pytest.Parser) -> None:
    # Other golden folders may declare the same option.
    with contextlib.suppress(ValueError):
        parser.addoption("--update-golden", action="store_true", help="write the golden forms anew")


@pytest.fixture(autouse=True)
def _quiet_ag2() -> Iterator[None]:
    """AG2 reports failures that the scenarios provoke on purpose; its log would drown everything else."""
    logger = logging.getLogger(PACKAGE)
    before = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    yield
    logger.setLevel(before)

"""The option that writes the golden forms, and a fixture that silences AG2's log."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator

import pytest

from .api import PACKAGE


def pytest_addoption(parser: pytest.Parser) -> None:
    # Other golden folders may declare the same option.
    with contextlib.suppress(ValueError):
        parser.addoption("--update-golden", action="store_true", help="write the golden forms again")


@pytest.fixture(autouse=True)
def _quiet_ag2() -> Iterator[None]:
    """Silence AG2's log, which is full of failures that the scenarios provoke on purpose."""
    logger = logging.getLogger(PACKAGE)
    before = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    yield
    logger.setLevel(before)

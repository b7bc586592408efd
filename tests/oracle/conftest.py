"""AG2 reports failures that the scenarios provoke on purpose; its log would drown everything else."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def _quiet_ag2() -> Iterator[None]:
    logger = logging.getLogger("ag2")
    before = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    yield
    logger.setLevel(before)

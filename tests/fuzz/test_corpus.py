"""Inputs that once caused a failure, or that are attacks, run in the normal test suite."""

from pathlib import Path

import pytest

from .targets import TARGETS

CORPUS = sorted((Path(__file__).parent / "corpus").glob("*/*"))


def test_every_target_has_regression_inputs():
    assert {file.parent.name for file in CORPUS} == set(TARGETS)


@pytest.mark.parametrize("file", CORPUS, ids=lambda file: f"{file.parent.name}-{file.name}")
def test_a_regression_input_is_refused_or_read_without_harm(file: Path):
    TARGETS[file.parent.name](file.read_bytes())

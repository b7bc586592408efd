"""Real programs, started as their users start them, with the spans that their authors expect."""

import pytest

pytest.register_assert_rewrite("tests.real.runs")

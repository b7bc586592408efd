"""Shows the values in failed assertions of the helpers."""

import pytest

pytest.register_assert_rewrite("tests.real.command_lines")

#: Its tests are those of a program.
collect_ignore = ["pytest_suite"]

"""What pytest loads wherever this package is installed: the fixture ``traced``, and how its comparisons are shown.

It stays small: nothing of OpenTelemetry and nothing of our own is imported before a test uses the fixture.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from opentelemetry.instrumentation.declarative.testing.traced import Traced

#: The last comparison of trees that has failed, as it was told: pytest cuts what is long, and half a tree tells little.
_last: list[str] = []


def pytest_addoption(parser: Any) -> None:
    parser.getgroup("instrument").addoption(
        "--update-spans",
        action="store_true",
        help="write the span trees of tests that call matches_snapshot(), where they differ from what is kept",
    )


@pytest.fixture
def traced(request: Any, tmp_path_factory: Any) -> Iterator[Traced]:
    """Puts specs to work in a block and gives the spans that come of it: `with traced("shop.yaml") as trace: ...`."""
    try:
        from opentelemetry.instrumentation.declarative.testing.traced import Traced
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "opentelemetry":
            raise
        pytest.fail(
            f"the fixture traced needs the OpenTelemetry SDK: {error}. "
            "Install opentelemetry-instrumentation-declarative[test].",
            pytrace=False,
        )
    from opentelemetry.instrumentation.declarative.testing.snapshots import Snapshots

    node, config = request.node, request.config
    file = Path(str(node.path))
    test = ".".join(node.nodeid.split("::")[1:])
    found = Traced(
        (file.parent, Path(str(config.rootpath))),
        Snapshots(file, test, config.getoption("update_spans")),
        lambda: Path(tmp_path_factory.mktemp("specs")),
        lambda text: pytest.fail(text, pytrace=False),
        lambda text: node.add_report_section("call", "from specs", text),
    )
    yield found
    found.finish()


def pytest_assertrepr_compare(config: Any, op: str, left: object, right: object) -> list[str] | None:
    """Show where two trees differ."""
    loaded = sys.modules.get("opentelemetry.instrumentation.declarative.testing.trace")
    if loaded is None or op != "==":
        return None
    if isinstance(right, loaded.Tree) and not isinstance(left, loaded.Tree):
        left, right = right, left
    if not isinstance(left, loaded.Tree) or not isinstance(right, (str, loaded.Tree)):
        return None
    _last[:] = loaded.compared(right, left)
    return [*_last]


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_makereport(item: Any, call: Any) -> None:
    """Tell the whole of a comparison of trees that pytest has cut."""
    error = call.excinfo.value if call.excinfo is not None else None
    if _last and isinstance(error, AssertionError) and len(error.args) == 1:
        before, summary, after = str(error).partition(_last[0])
        whole = "\n  ".join(_last)
        if summary and not (summary + after).startswith(whole):
            error.args = (before + whole,)
    _last.clear()

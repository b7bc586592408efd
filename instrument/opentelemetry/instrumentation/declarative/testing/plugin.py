"""The pytest plugin of this package, loaded by its entry point: the fixture ``traced``, and how comparisons are shown.

It imports nothing of OpenTelemetry or of this package before a test uses the fixture.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from opentelemetry.instrumentation.declarative.testing.traced import Traced

_MESSAGES = "instrument-messages"
#: The lines of the last failed comparison. pytest truncates long ones, and half a tree is of little use.
_last_comparison: list[str] = []


def pytest_addoption(parser: Any) -> None:
    parser.getgroup("instrument").addoption(
        "--update-spans",
        action="store_true",
        help="write the snapshots of tests that call matches_snapshot() if they differ",
    )


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: Any) -> None:
    """Collect the messages of this package before modules are imported, because pytest captures them."""
    _collect_messages(early_config)


def pytest_configure(config: Any) -> None:
    """Do the same if this plugin is loaded later."""
    _collect_messages(config)


def _collect_messages(config: Any) -> None:
    from opentelemetry.instrumentation.declarative.testing.session_messages import SessionMessages

    if config.pluginmanager.has_plugin(_MESSAGES):
        return
    messages = SessionMessages(config)
    if config.pluginmanager.register(messages, _MESSAGES) is not None:
        messages.start()


@pytest.fixture
def traced(request: Any, tmp_path_factory: Any) -> Iterator[Traced]:
    """Activates specs in a block and returns the recorded spans: `with traced("shop.yaml") as trace: ...`."""
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
    from opentelemetry.instrumentation.declarative.testing.snapshots import SnapshotFolder

    node, config = request.node, request.config
    file = Path(str(node.path))
    test = ".".join(node.nodeid.split("::")[1:])
    fixture = Traced(
        (file.parent, Path(str(config.rootpath))),
        SnapshotFolder(file, test, config.getoption("update_spans")),
        lambda: Path(tmp_path_factory.mktemp("specs")),
        lambda text: pytest.fail(text, pytrace=False),
        lambda text: node.add_report_section("call", "from specs", text),
    )
    yield fixture
    fixture.finish()


def pytest_assertrepr_compare(config: Any, op: str, left: object, right: object) -> list[str] | None:
    """Show where two trees differ."""
    module = sys.modules.get("opentelemetry.instrumentation.declarative.testing.recorded_trace")
    if module is None or op != "==":
        return None
    if isinstance(right, module.SpanTree) and not isinstance(left, module.SpanTree):
        left, right = right, left
    if not isinstance(left, module.SpanTree) or not isinstance(right, (str, module.SpanTree)):
        return None
    _last_comparison[:] = module.comparison_report(right, left)
    return [*_last_comparison]


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_makereport(item: Any, call: Any) -> None:
    """Restore a comparison of trees that pytest has truncated."""
    error = call.excinfo.value if call.excinfo is not None else None
    if _last_comparison and isinstance(error, AssertionError) and len(error.args) == 1:
        before, summary, after = str(error).partition(_last_comparison[0])
        whole = "\n  ".join(_last_comparison)
        if summary and not (summary + after).startswith(whole):
            error.args = (before + whole,)
    _last_comparison.clear()

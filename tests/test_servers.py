"""Servers and test runners with several processes: gunicorn, with and without preloading, and pytest-xdist."""

from __future__ import annotations

import http.client
import importlib.util
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.programs import ProgramResult, environment, run, spans_in

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="they fork and are stopped by a signal")

APP = """
import os, traced
traced.on()
import shop

def app(environ, respond):
    shop.work(id=environ["PATH_INFO"])
    shop.begin(environ["PATH_INFO"])
    if environ["QUERY_STRING"] == "end":
        shop.end(environ["PATH_INFO"])
    respond("200 OK", [("Content-Type", "text/plain")])
    return [str(os.getpid()).encode()]
"""

READY = """
import sys
def post_worker_init(worker):
    sys.stderr.write("ready\\n")
"""


@pytest.mark.skipif(importlib.util.find_spec("gunicorn") is None, reason="gunicorn is not installed")
@pytest.mark.parametrize(
    ("options", "traced"),
    [([], "before batched"), (["--preload"], "before batched"), (["--worker-class", "gthread"], "before")],
    ids=["", "preload", "threads"],
)
def test_a_gunicorn_worker_exports_its_spans_and_ends_open_ones_at_sigterm(
    options: list[str], traced: str, tmp_path: Path
) -> None:
    (tmp_path / "app.py").write_text(APP)
    (tmp_path / "gunicorn.conf.py").write_text(READY)
    command = [sys.executable, "-m", "gunicorn", "--workers", "2", "--bind", "127.0.0.1:0", "--no-control-socket"]
    command = [word for word in command if word != "--no-control-socket" or _knows_control_sockets()]
    server = subprocess.Popen(
        [*command, *options, "app:app"],
        cwd=tmp_path,
        env=environment(tmp_path, traced),
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert server.stderr is not None
        # A worker that is still starting would not receive the signal.
        ready = 0
        port = 0
        while ready < 2 or not port:
            line = server.stderr.readline()
            assert line
            ready += line == "ready\n"
            if found := re.search(r"http://127.0.0.1:(\d+)", line):
                port = int(found[1])
        pids = {f"/{number}": _get(port, f"/{number}?{'end' if number % 2 else ''}") for number in range(20)}
        server.send_signal(signal.SIGTERM)
        _, errors = server.communicate(timeout=60)
    finally:
        server.kill()
        server.wait()
    done = ProgramResult(server.returncode, [], errors, spans_in(tmp_path))
    assert (done.code, "Traceback" in done.errors) == (0, False)
    assert done.ends("work") == dict.fromkeys(pids)
    assert done.ends() == {path: None if int(path[1:]) % 2 else "shutdown" for path in pids}
    assert {span["attributes"]["id"]: span["pid"] for span in done.named("work")} == pids


def _knows_control_sockets() -> bool:
    from gunicorn.config import KNOWN_SETTINGS

    return any(setting.name == "control_socket_disable" for setting in KNOWN_SETTINGS)


def _get(port: int, path: str) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("GET", path)
    answer = int(connection.getresponse().read())
    connection.close()
    return answer


TESTS = """
import os, pytest, traced
traced.on()
import shop

@pytest.mark.parametrize("number", range(6))
def test_it(number):
    shop.work(id=number)
    shop.begin(number)
    if number % 2:
        shop.end(number)
"""


@pytest.mark.skipif(importlib.util.find_spec("xdist") is None, reason="pytest-xdist is not installed")
def test_pytest_xdist_workers_export_their_spans_and_end_open_ones(tmp_path: Path) -> None:
    (tmp_path / "test_shop.py").write_text(TESTS)
    start = "import sys, pytest; sys.exit(pytest.main(['-n2', '-q', '-pno:cacheprovider', '-pxdist', 'test_shop.py']))"
    done = run(tmp_path, start, traced="before batched", PYTEST_DISABLE_PLUGIN_AUTOLOAD="1")
    assert (done.code, done.errors) == (0, "")
    assert done.ends("work") == dict.fromkeys(range(6))
    assert done.ends() == {number: None if number % 2 else "shutdown" for number in range(6)}
    assert len({span["pid"] for span in done.spans}) == 2

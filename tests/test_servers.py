"""Servers keep every span when they are stopped, and so does pytest-xdist with several processes."""

import contextlib
import http.client
import importlib.util
import inspect
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType, ModuleType
from typing import Any

import pytest

from tests.processes import PATIENCE, ended, free_port, listens, until
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
):
    (tmp_path / "app.py").write_text(APP)
    (tmp_path / "gunicorn.conf.py").write_text(READY)
    command = [sys.executable, "-m", "gunicorn", "--workers", "2", "--bind", "127.0.0.1:0", "--no-control-socket"]
    command += ["--timeout", "100", "--graceful-timeout", "100"]  # a worker that is slow is not killed
    command = [word for word in command if word != "--no-control-socket" or _knows_control_sockets()]
    server = subprocess.Popen(
        [*command, *options, "app:app"],
        cwd=tmp_path,
        env=environment(tmp_path, traced),
        stderr=subprocess.PIPE,
        text=True,
    )
    with ended(server):
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
        _, errors = server.communicate(timeout=PATIENCE)
    done = ProgramResult(server.returncode, [], errors, spans_in(tmp_path))
    assert (done.code, "Traceback" in done.errors) == (0, False)
    assert done.ends("work") == dict.fromkeys(pids)
    assert done.ends() == {path: None if int(path[1:]) % 2 else "shutdown" for path in pids}
    assert {span["attributes"]["id"]: span["pid"] for span in done.named("work")} == pids


def _knows_control_sockets() -> bool:
    from gunicorn.config import KNOWN_SETTINGS

    return any(setting.name == "control_socket_disable" for setting in KNOWN_SETTINGS)


def _get(port: int, path: str) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    connection.request("GET", path)
    answer = int(connection.getresponse().read())
    connection.close()
    return answer


SERVED = """
import os, sys, traced
traced.on()
import shop

def handle(path, query):
    shop.work(id=path)
    shop.begin(path)
    if query == "end":
        shop.end(path)
    return str(os.getpid()).encode()

async def asgi(scope, receive, send):
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            await send({"type": message["type"] + ".complete"})
            if message["type"] == "lifespan.shutdown":
                return
    body = handle(scope["path"], scope["query_string"].decode())
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
    await send({"type": "http.response.body", "body": body})

def wsgi(environ, respond):
    respond("200 OK", [("Content-Type", "text/plain")])
    return [handle(environ["PATH_INFO"], environ["QUERY_STRING"])]

def serve_flask(port):
    import flask
    app = flask.Flask(__name__)
    app.add_url_rule("/<path>", view_func=lambda path: handle("/" + path, flask.request.query_string.decode()))
    app.run(port=port, use_reloader="RELOADS" in os.environ)

def serve_waitress(port):
    import waitress
    waitress.serve(wsgi, listen=f"127.0.0.1:{port}")

def serve_uvicorn(port):
    import uvicorn
    uvicorn.run("served:asgi", port=port)

def serve_http_server(port):
    from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            path, _, query = self.path.partition("?")
            self.send_response(200)
            self.end_headers()
            self.wfile.write(handle(path, query))
    ThreadingHTTPServer(("127.0.0.1", port), Handler).serve_forever()

def serve_django(port):
    import django.conf, django.http, django.urls
    from django.core.management import execute_from_command_line
    def view(request, path):
        return django.http.HttpResponse(handle("/" + path, request.META["QUERY_STRING"]))
    urls = type(sys)("urls")
    urls.urlpatterns = [django.urls.path("<path>", view)]
    django.conf.settings.configure(DEBUG=True, ROOT_URLCONF=urls, ALLOWED_HOSTS=["*"])
    execute_from_command_line(["manage.py", "runserver", "--skip-checks", str(port), *NO_RELOADER])

NO_RELOADER = [] if "RELOADS" in os.environ else ["--noreload"]
if __name__ == "__main__":
    globals()["serve_" + sys.argv[1]](int(sys.argv[2]))
"""

#: The arguments of Python that start each server, the modules that it needs, and its exit code at SIGTERM.
SERVERS = {
    "uvicorn": ("-m uvicorn served:asgi --port PORT", "uvicorn", -signal.SIGTERM),
    "uvicorn --workers": ("-m uvicorn served:asgi --port PORT --workers 2", "uvicorn", 0),
    "uvicorn.run": ("served.py uvicorn PORT", "uvicorn", -signal.SIGTERM),
    "gunicorn UvicornWorker": (
        "-m gunicorn --workers 2 --bind 127.0.0.1:PORT --timeout 100 --graceful-timeout 100 "
        "-k uvicorn_worker.UvicornWorker served:asgi",
        "uvicorn_worker",
        0,
    ),
    "hypercorn": ("-m hypercorn --bind 127.0.0.1:PORT served:asgi", "hypercorn", 0),
    "granian": ("-m granian --interface asgi --port PORT served:asgi", "granian", 0),
    "flask": ("served.py flask PORT", "flask", -signal.SIGTERM),
    "django runserver": ("served.py django PORT", "django", -signal.SIGTERM),
    "waitress": ("served.py waitress PORT", "waitress", -signal.SIGTERM),
    "http.server": ("served.py http_server PORT", "http.server", -signal.SIGTERM),
}


@pytest.mark.parametrize("name", SERVERS)
def test_a_server_that_is_stopped_by_sigterm_loses_no_span(name: str, tmp_path: Path):
    """Its exit code is its own: some servers handle the signal and end themselves by it afterwards."""
    arguments, module, code = SERVERS[name]
    pytest.importorskip(module)
    _serve_two_requests(arguments, tmp_path, lambda server: server.send_signal(signal.SIGTERM), code)


RELOADERS = {
    "flask": "served.py flask PORT",
    "django": "served.py django PORT",
    "uvicorn": "-m uvicorn served:asgi --port PORT --reload",
}


@pytest.mark.parametrize("name", RELOADERS)
def test_a_server_with_a_reloader_loses_no_span_at_ctrl_c(name: str, tmp_path: Path):
    """A terminal sends the signal to every process of the program."""
    pytest.importorskip(name)
    _serve_two_requests(
        RELOADERS[name], tmp_path, lambda server: os.killpg(server.pid, signal.SIGINT), 0, {"RELOADS": "1"}
    )


def _serve_two_requests(
    arguments: str,
    tmp_path: Path,
    stop: Callable[[subprocess.Popen[str]], None],
    code: int,
    settings: Mapping[str, str] = MappingProxyType({}),
) -> None:
    """Start a server, send it two requests, stop it, and compare the spans."""
    (tmp_path / "served.py").write_text(SERVED)
    with free_port() as port:
        server = subprocess.Popen(
            [sys.executable, *arguments.replace("PORT", str(port)).split()],
            cwd=tmp_path,
            env={**environment(tmp_path, "before batched"), **settings},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        try:
            until(lambda: server.poll() is not None or listens(port), "the start of the server")
            pids = {path: _get(port, path) for path in ("/1?end", "/2")}
            stop(server)
            _, errors = server.communicate(timeout=PATIENCE)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(server.pid, signal.SIGKILL)
            server.communicate()
    done = ProgramResult(server.returncode, [], errors, spans_in(tmp_path))
    assert (done.code, "Traceback" in errors) == (code, False), errors
    assert done.ends("work") == {"/1": None, "/2": None}
    assert done.ends() == {"/1": None, "/2": "shutdown"}
    assert {span["pid"] for span in done.spans} == {*pids.values()}


CELERY = """
import os, pathlib, traced
traced.on()
import shop
from celery import Celery
folder = pathlib.Path(__file__).parent
app = Celery("jobs", broker="filesystem://", broker_transport_options={
    "data_folder_in": str(folder), "data_folder_out": str(folder), "control_folder": str(folder)})

@app.task
def job(id):
    shop.begin(id)
    shop.work(id=id)
    (folder / "worked").touch()

if __name__ == "__main__":
    job.delay(1)
"""


@pytest.mark.parametrize("pool", ["prefork", "solo", "threads"])
def test_a_celery_worker_that_is_stopped_by_sigterm_loses_no_span(pool: str, tmp_path: Path):
    pytest.importorskip("celery")
    (tmp_path / "jobs.py").write_text(CELERY)
    settings = environment(tmp_path, "before batched")
    subprocess.run([sys.executable, "jobs.py"], cwd=tmp_path, env={**settings, "TRACED": ""}, check=True)
    worker = subprocess.Popen(
        [sys.executable, "-m", "celery", "-A", "jobs", "worker", "--pool", pool, "--concurrency", "1", "-l", "ERROR"],
        cwd=tmp_path,
        env=settings,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    with ended(worker):
        until(lambda: worker.poll() is not None or (tmp_path / "worked").exists(), "the task")
        worker.send_signal(signal.SIGTERM)
        _, errors = worker.communicate(timeout=PATIENCE)
    done = ProgramResult(worker.returncode, [], errors, spans_in(tmp_path))
    assert (done.code, "Traceback" in errors) == (0, False), errors
    assert (done.ends("work"), done.ends()) == ({1: None}, {1: "shutdown"})


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
def test_pytest_xdist_workers_export_their_spans_and_end_open_ones(tmp_path: Path):
    (tmp_path / "test_shop.py").write_text(TESTS)
    start = "import sys, pytest; sys.exit(pytest.main(['-n2', '-q', '-pno:cacheprovider', '-pxdist', 'test_shop.py']))"
    done = run(tmp_path, start, traced="before batched", PYTEST_DISABLE_PLUGIN_AUTOLOAD="1")
    assert (done.code, done.errors) == (0, "")
    assert done.ends("work") == dict.fromkeys(range(6))
    assert done.ends() == {number: None if number % 2 else "shutdown" for number in range(6)}
    assert len({span["pid"] for span in done.spans}) == 2


KEEP_ALIVE = """
async def app(scope, receive, send):
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
    await send({"type": "http.response.body", "body": b""})
"""


@pytest.mark.parametrize("resets", [False, True])
def test_a_request_on_a_connection_that_is_kept_alive_has_a_trace_of_its_own(
    resets: bool, make_module: Callable[[str], ModuleType], instrumented: Callable[..., Any], tracing
):
    """After a large body, uvicorn reads the connection in the context of the request, unless it resets contexts."""
    uvicorn = pytest.importorskip("uvicorn")
    if resets and "reset_contextvars" not in inspect.signature(uvicorn.Config).parameters:
        pytest.skip("this uvicorn does not reset the context")
    module = make_module(KEEP_ALIVE)
    options: dict[str, Any] = {"lifespan": "off", "log_level": "error", "timeout_keep_alive": 100}
    options |= {"reset_contextvars": True} if resets else {}
    with instrumented("spans: {request: {around: 'HOST:app', name: 'request {scope.path}'}}", module):
        config = uvicorn.Config(module.app, port=0, http="h11", **options)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run)
        thread.start()
        try:
            until(lambda: server.started)
            port = server.servers[0].sockets[0].getsockname()[1]
            connection = http.client.HTTPConnection("127.0.0.1", port)
            for path in ("/first", "/second"):
                connection.request("POST", path, body=b"x" * 300_000)
                connection.getresponse().read()
            connection.close()
        finally:
            server.should_exit = True
            thread.join()
    first, second = tracing.spans
    assert (first.name, first.parent) == ("request /first", None)
    assert (second.parent is None) == resets
    assert resets or second.parent.span_id == first.context.span_id

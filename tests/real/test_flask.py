"""A Flask application under gunicorn: views, blueprints, error handlers, method views, filters, commands, streams."""

from __future__ import annotations

import contextlib
import http.client
from pathlib import Path
from typing import Any

import pytest

from tests.real.programs import Client, Program, both_ways, check, needs
from tests.real.runs import Run, assert_traces, assert_unchanged

pytestmark = needs("flask", "gunicorn")

FOLDER = Path(__file__).parent / "flask_library"
COMMAND = ["-m", "gunicorn", "--bind", "127.0.0.1:0", "--timeout", "100", "--graceful-timeout", "100", "wsgi:app"]
WORKERS = {"sync": [], "gthread": ["--worker-class", "gthread", "--threads", "2"], "preload": ["--preload"]}


def use(program: Program) -> list[Any]:
    client = Client(program.port())
    client.send("GET", "/")
    client.send("GET", "/books/1")
    client.send("GET", "/books/7")
    client.send("GET", "/books.txt")
    client.send("GET", "/cover.txt")
    with contextlib.suppress(http.client.IncompleteRead):
        client.send("GET", "/broken.txt")
    client.send("GET", "/loans/count")
    client.send("POST", "/loans/", {"number": 2}, x_reader="ann")
    client.send("POST", "/loans/", {"number": 2}, x_reader="bob")
    client.send("GET", "/loans/", x_reader="bob")
    client.send("POST", "/loans/2/renew")
    client.send("DELETE", "/loans/2")
    client.send("DELETE", "/loans/2", x_reader="ann")
    client.send("GET", "/crash")
    client.send("GET", "/later")
    return client.answers


@pytest.fixture(scope="module", params=WORKERS)
def runs(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, Run]:
    return both_ways(FOLDER, [*COMMAND, *WORKERS[request.param]], use, tmp_path_factory.mktemp("flask"))


@pytest.fixture
def run(runs: tuple[Run, Run]) -> Run:
    return runs[0]


def test_the_application_is_unchanged(runs: tuple[Run, Run]):
    assert_unchanged(*runs)
    assert [answer[2] for answer in runs[0].result] == [
        *(200, 200, 404, 200, 200, 200, 201, 409, 200, 200, 401, 204, 500, 200)
    ]


def test_each_request_is_one_trace(run: Run):
    assert run.roots == [
        "create_app",
        "GET /",
        "GET /books/1",
        "GET /books/7",
        "GET /books.txt",
        "GET /cover.txt",
        "GET /broken.txt",
        "GET /loans/count",
        "POST /loans/",
        "POST /loans/",
        "GET /loans/",
        "POST /loans/2/renew",
        "DELETE /loans/2",
        "DELETE /loans/2",
        "GET /crash",
        "GET /later",
    ]


def test_views_of_a_blueprint_filters_context_processors_and_functions_around_requests(run: Run):
    assert_traces(
        run,
        """
        GET / (server)
          load_reader
          index
            name_of_library
            shorten
              library.text=Middlemarch
              library.length=5
            shorten
              library.text=Ulysses
              library.length=5
          forget_reader
        """,
        """
        GET /books/1 (server)
          load_reader
          show_book
            library.number=1
            library.title=Middlemarch
            find
              library.title=Middlemarch
          forget_reader
        """,
    )


def test_a_stream_or_a_file_is_part_of_the_request_whose_result_is_followed(run: Run):
    assert_traces(
        run,
        """
        GET /books.txt (server)
          load_reader
          export
            library.type=text/plain
          forget_reader
          lines
          forget_reader
        """,
        """
        GET /cover.txt (server)
          load_reader
          send_cover
          forget_reader
        """,
        """
        GET /broken.txt (server)
          ! ValueError: in the stream
          load_reader
          forget_reader
          broken_lines
            ! ValueError: in the stream
        """,
    )


def test_error_handlers_and_signals(run: Run):
    assert_traces(
        run,
        """
        GET /books/7 (server)
          load_reader
          show_book
            library.number=7
            ! NotFound: 404 Not Found: there is no book 7
            find
          missing
          forget_reader
        """,
        """
        GET /crash (server)
          load_reader
          crash
            ! ValueError: crash
          log_failure
            library.app=library
          forget_reader
        """,
    )


def test_a_view_that_is_registered_below_another_decorator(run: Run):
    assert_traces(
        run,
        """
        POST /loans/2/renew (server)
          load_reader
          renew
            library.number=2
          forget_reader
        """,
    )


def test_method_views_and_what_reads_the_current_request(run: Run):
    assert_traces(
        run,
        """
        POST /loans/ (server)
          load_reader
          create_loans
          post_loan
            log_request
              library.action=lend
              library.path=/loans/
            lend
              library.title=Ulysses
              library.reader=ann
          forget_reader
        """,
        """
        POST /loans/ (server)
          load_reader
          create_loans
          post_loan
            ! NotAvailable: Ulysses is lent
            log_request
              library.action=lend
              library.path=/loans/
            lend
              library.reader=bob
              ! NotAvailable: Ulysses is lent
          not_available
          forget_reader
        """,
        """
        GET /loans/ (server)
          load_reader
          create_loans
          get_loans
            library.lent=1
          forget_reader
        """,
        """
        GET /loans/count (server)
          load_reader
          count
            library.count="0"
          forget_reader
        """,
    )


def test_a_view_below_another_decorator_includes_what_the_decorator_does(run: Run):
    assert_traces(
        run,
        """
        DELETE /loans/2 (server)
          load_reader
          give_back
            library.number=2
            ! Unauthorized: 401 Unauthorized: <any>
          forget_reader
        """,
        """
        DELETE /loans/2 (server)
          load_reader
          give_back
            library.number=2
            log_request
              library.action=give back
              library.path=/loans/2
          forget_reader
        """,
    )


def test_an_asynchronous_view(run: Run):
    assert_traces(
        run,
        """
        GET /later (server)
          load_reader
          later
            library.books=2
            count_books
          forget_reader
        """,
    )


def test_a_command(tmp_path: Path):
    command = ["-m", "flask", "--app", "wsgi", "reindex", "U"]
    runs = both_ways(FOLDER, command, lambda program: program.process.wait(), tmp_path, stop=False)
    assert_unchanged(*runs)
    assert runs[0].output[-1] == "indexed Ulysses"
    assert_traces(
        runs[0],
        """
        reindex
          library.prefix=U
          index_title
            library.title=Ulysses
        """,
    )


@needs("opentelemetry.instrumentation.flask")
def test_beside_the_instrumentation_of_opentelemetry(tmp_path: Path):
    run, _ = both_ways(FOLDER, COMMAND, use, tmp_path, spec=FOLDER / "beside.yaml", beside=["flask"])
    assert run.below_server_spans == [
        ("GET /", ["load_reader", "index", "forget_reader"]),
        ("GET /books/<int:number>", ["load_reader", "show_book", "forget_reader"]),
        ("GET /books/<int:number>", ["load_reader", "show_book", "missing", "forget_reader"]),
        ("GET /books.txt", ["load_reader", "export", "forget_reader"]),
        ("GET /cover.txt", ["load_reader", "send_cover", "forget_reader"]),
        ("GET /broken.txt", ["load_reader", "forget_reader"]),
        ("GET /loans/count", ["load_reader", "count", "forget_reader"]),
        ("POST /loans/", ["load_reader", "create_loans", "post_loan", "forget_reader"]),
        ("POST /loans/", ["load_reader", "create_loans", "post_loan", "not_available", "forget_reader"]),
        ("GET /loans/", ["load_reader", "create_loans", "get_loans", "forget_reader"]),
        ("POST /loans/<int:number>/renew", ["load_reader", "renew", "forget_reader"]),
        *[("DELETE /loans/<int:number>", ["load_reader", "give_back", "forget_reader"])] * 2,
        ("GET /crash", ["load_reader", "crash", "log_failure", "forget_reader"]),
        ("GET /later", ["load_reader", "later", "forget_reader"]),
    ]
    assert [span.attributes.get("library.number") for span in run.server_spans][:4] == [None, 1, 7, None]


def test_check_has_no_remark():
    assert check(FOLDER) == "spec.yaml: no problems\nexit code 0"

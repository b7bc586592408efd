"""A Django site: views, models, signals, middleware, templates, forms and commands, on WSGI, on ASGI and in tests."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.processes import PATIENCE
from tests.real.programs import Client, Program, both_ways, check, needs
from tests.real.runs import Run, assert_traces, assert_unchanged

pytestmark = needs("django", "gunicorn", "uvicorn")

FOLDER = Path(__file__).parent / "django_blog"
WSGI = ["-m", "gunicorn", "--bind", "127.0.0.1:0", "--timeout", "100", "--graceful-timeout", "100", "website.wsgi"]
ASGI = ["-m", "uvicorn", "--port", "0", "--lifespan", "off", "website.asgi:application"]

MIDDLEWARE = ("process_request", "process_view", "set_language", "process_response")


def use(program: Program) -> list[Any]:
    client = Client(program.port())
    client.send("GET", "/health/")
    client.send("GET", "/posts/")
    client.send("GET", "/posts/titles/")
    client.send("GET", "/posts/titles/", x_reader="ann")
    client.send("POST", "/posts/new/", form={"title": "New ", "body": "some words", "author": 1})
    client.send("POST", "/posts/new/", form={"title": "NEW", "body": "some words", "author": 1})
    client.send("GET", "/posts/1/")
    client.send("POST", "/posts/1/comment/", form={"text": " well said "})
    client.send("GET", "/posts/read/1/")
    client.send("GET", "/posts/read/77/")
    client.send("GET", "/posts/export/")
    client.send("GET", "/posts/count/")
    client.send("GET", "/posts/retired/")
    client.send("GET", "/posts/crash/")
    return client.answers


#: Makes the database, as a user would have done before.
PREPARE = """
import django; django.setup()
from django.core.management import call_command
from blog.models import Author, Post
call_command("migrate", verbosity=0)
author = Author.objects.create(name="Ann")
Post.objects.create(title="First", body="one two three", published=True, author=author)
Post.objects.create(title="Second", body="four", author=author)
"""


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("database")
    environment = {**os.environ, "SCRATCH": str(folder), "DJANGO_SETTINGS_MODULE": "website.settings"}
    environment |= {"PYTHONPATH": str(FOLDER), "PYTHONDONTWRITEBYTECODE": "1"}
    subprocess.run([sys.executable, "-c", PREPARE], env=environment, check=True, timeout=PATIENCE)
    return folder / "blog.sqlite3"


def start(command: list[str], database: Path, scratch: Path, **how: Any) -> tuple[Run, Run]:
    for name in ("instrumented", "plain"):
        (scratch / name).mkdir()
        shutil.copy(database, scratch / name)
    return both_ways(FOLDER, command, scratch=scratch, DJANGO_SETTINGS_MODULE="website.settings", **how)


@pytest.fixture(scope="module", params=["wsgi", "asgi"])
def runs(request: pytest.FixtureRequest, database: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, Run]:
    command = WSGI if request.param == "wsgi" else ASGI
    return start(command, database, tmp_path_factory.mktemp(request.param), use=use)


@pytest.fixture
def run(runs: tuple[Run, Run]) -> Run:
    return runs[0]


def test_the_site_is_unchanged_and_runs_the_same_queries(runs: tuple[Run, Run]):
    assert_unchanged(*runs)
    answers = [(status, headers["x-queries"]) for _, _, status, headers, _ in runs[0].result]
    assert answers == [
        (200, "0"),
        (200, "2"),
        (401, "0"),
        (200, "1"),
        (302, "4"),
        (422, "2"),
        (200, "1"),
        (201, "2"),
        (200, "1"),
        (404, "1"),
        (200, "0"),
        (200, "1"),
        (410, "1"),
        (500, "0"),
    ]


def test_each_request_is_one_trace(run: Run):
    assert run.roots == [
        "ready",
        "GET /health/",
        "GET /posts/",
        *["GET /posts/titles/"] * 2,
        *["POST /posts/new/"] * 2,
        "GET /posts/1/",
        "POST /posts/1/comment/",
        "GET /posts/read/1/",
        "GET /posts/read/77/",
        "GET /posts/export/",
        "GET /posts/count/",
        "GET /posts/retired/",
        "GET /posts/crash/",
    ]


def test_middleware(run: Run):
    assert_traces(
        run,
        """
        GET /health/ (server)
          blog.status=200
          process_request
          process_view
            blog.view=website.views.health
          health
          set_language
          process_response
            blog.version="1"
        """,
        """
        GET /posts/crash/ (server)
          blog.status=500
          process_request
          process_view
            blog.view=blog.views.crash
          crash
            ! ValueError: crash
          process_exception
            blog.error=crash
          set_language
          process_response
            blog.version="1"
        """,
    )


def test_views_as_functions_and_below_decorators(run: Run):
    assert_traces(
        run,
        """
        GET /posts/titles/ (server)
          blog.status=401
          list_titles
        """,
        """
        GET /posts/titles/ (server)
          blog.status=200
          list_titles
            published
        """,
        """
        GET /posts/read/77/ (server)
          blog.status=404
          read_post
            ! Http404: No Post matches the given query.
          process_exception
            blog.error=No Post matches the given query.
        """,
        """
        GET /posts/count/ (server)
          blog.status=200
          count_later
            count_posts_later
              blog.count=1
              published
        """,
        without=MIDDLEWARE,
    )


def test_a_stream_is_part_of_the_request_whose_result_is_followed(run: Run):
    assert_traces(
        run,
        """
        GET /posts/export/ (server)
          blog.status=200
          export
          export_lines
        """,
        without=MIDDLEWARE,
    )


def test_views_as_classes_managers_context_processors_and_template_tags(run: Run):
    assert_traces(
        run,
        """
        GET /posts/ (server)
          blog.status=200
          post_list
            published
          post_list_context
            blog.page=list
          site
          count_posts
          louder
        """,
        """
        GET /posts/1/ (server)
          blog.status=200
          post_page
            blog.title=First
          site
          words
            blog.words=3
          show_author
        """,
        """
        GET /posts/retired/ (server)
          blog.status=410
          retired
            blog.reason=retired
            site
            count_posts
        """,
        without=MIDDLEWARE,
    )


def test_forms_validators_models_and_signals(run: Run):
    assert_traces(
        run,
        """
        POST /posts/new/ (server)
          blog.status=302
          new_post
            clean_title
              blog.title=New
            no_shouting
              blog.value=New
            clean
            new_post_valid
              save
                blog.author=Ann
                no_shouting
                  blog.value=New
                clean
                index_post
                  blog.created=true
                  blog.title=New
              url
                blog.url=/posts/3/
        """,
        """
        POST /posts/new/ (server)
          blog.status=422
          new_post
            clean_title
              blog.title=NEW
            no_shouting
              blog.value=NEW
              ! ValidationError: ['do not shout']
            clean
            new_post_invalid
        """,
        without=MIDDLEWARE,
    )


def test_what_is_not_loaded_is_missing(run: Run):
    """The number of queries is compared above."""
    assert_traces(
        run,
        """
        POST /posts/1/comment/ (server)
          blog.status=201
          comment
            blog.post=1
            write
              blog.title=First
              comments
              watch_comment
                blog.text=" well said "
              watch_comment
                blog.text=well said
            thank
              blog.thanks=thank you for well said
        """,
        """
        GET /posts/read/1/ (server)
          blog.status=200
          read_post
            blog.status=200
            describe
              blog.title=First
              blog.body=one two three
              blog.author=Ann
              blog.words=3
              words
                blog.words=3
        """,
        without=MIDDLEWARE,
    )


def test_a_command(database: Path, tmp_path: Path):
    command = ["manage.py", "publish", "2"]
    runs = start(command, database, tmp_path, use=lambda program: program.process.wait(), stop=False)
    assert_unchanged(*runs)
    assert runs[0].output[-1] == "published Second"
    assert_traces(
        runs[0],
        """
        command
          blog.post=2
          publish
            save
              blog.post=2
              no_shouting
                blog.value=Second
              clean
              index_post
                blog.created=false
                blog.title=Second
        """,
    )


def test_the_tests_of_a_site(database: Path, tmp_path: Path):
    command = ["manage.py", "test", "--no-color"]
    runs = start(command, database, tmp_path, use=lambda program: program.process.wait(), stop=False)
    assert_unchanged(*runs)
    assert_traces(
        runs[0],
        """
        test
          GET /posts/titles/ (server)
            blog.status=200
            process_request
            process_view
              blog.view=blog.views.list_titles
            list_titles
              published
            set_language
            process_response
              blog.version="1"
        """,
    )


@needs("opentelemetry.instrumentation.django")
def test_beside_the_instrumentation_of_opentelemetry(database: Path, tmp_path: Path):
    run, _ = start(WSGI, database, tmp_path, use=use, spec=FOLDER / "beside.yaml", beside=["django"])
    (name, names) = run.below_server_spans[1]
    assert (name, [each for each in names if each not in MIDDLEWARE]) == (
        "GET posts/",
        ["post_list", "post_list_context", "site", "count_posts", "louder"],
    )
    titles = {span.name: span.attributes["blog.title"] for span in run.server_spans if "blog.title" in span.attributes}
    assert titles == {"POST posts/new/": "New"}


def test_check_has_no_remark():
    assert check(FOLDER, "--import", "website.wsgi", "spec.yaml").endswith("\nspec.yaml: no problems\nexit code 0")

"""The client of OpenAI against a local server: plain, asynchronous and streaming calls, and errors."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.real.openai_stub import openai_stub
from tests.real.programs import both_ways, check, needs
from tests.real.runs import Run, assert_traces, assert_unchanged

pytestmark = needs("openai")

FOLDER = Path(__file__).parent / "openai_assistant"


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Run, Run]]:
    with openai_stub() as url:
        yield both_ways(
            FOLDER,
            ["main.py"],
            lambda program: program.process.wait(),
            tmp_path_factory.mktemp("openai"),
            stop=False,
            OPENAI_BASE_URL=url,
            OPENAI_API_KEY="none",
        )


@pytest.fixture
def run(runs: tuple[Run, Run]) -> Run:
    return runs[0]


def test_the_program_is_unchanged(runs: tuple[Run, Run]):
    assert_unchanged(*runs)
    assert runs[0].output[1:] == [
        "one is a number",
        "wait: 429",
        "['two', 'is', 'a', 'number']",
        "three",
        "failed: cut off!",
        "('request-1', 'four is a number')",
        "1",
        "['chunk', 'content.delta', 'chunk', 'content.delta', 'chunk', 'content.delta', 'chunk', 'content.delta', "
        "'content.done']",
        "[0.5, 5.0]",
        "one is a number",
        "['two is a number', 'three is a number']",
        "failed: 500",
        "['four', 'is', 'a', 'number']",
        "five",
    ]


def test_calls_of_the_synchronous_client(run: Run):
    assert_traces(
        run,
        """
        ask
          app.answer=one is a number
          chat small (client)
            gen_ai.request.model=small
            gen_ai.response.model=small-1
            gen_ai.usage.output_tokens=4
            app.question=one
        """,
        """
        ask_or_wait
          app.answer="wait: 429"
          ask
            ! RateLimitError: Error code: 429 - too often!
            chat small (client)
              gen_ai.request.model=small
              app.question=too often
              ! RateLimitError: Error code: 429 - too often!
        """,
        """
        ask_for_headers
          chat small (client)
            gen_ai.request.model=small
            app.question=four
        """,
        """
        embed
          embeddings vectors (client)
            gen_ai.response.model=vectors-1
        """,
    )


def test_streams_of_the_synchronous_client_last_until_they_are_exhausted_closed_or_have_failed(run: Run):
    assert_traces(
        run,
        """
        ask_in_parts
          app.parts=4
          chat small (client)
            gen_ai.request.model=small
            gen_ai.response.model=small-1
            app.question=two
            app.parts=4
            • first_part
              app.part=two
        """,
        """
        ask_for_the_first_part
          chat small (client)
            gen_ai.request.model=small
            gen_ai.response.model=small-1
            app.question=three
            app.parts=1
            • first_part
              app.part=three
        """,
        """
        ask_until_it_fails
          app.answer="failed: cut off!"
          ask_in_parts
            ! APIError: cut off!
            chat small (client)
              gen_ai.request.model=small
              gen_ai.response.model=small-1
              app.question=cut off
              app.parts=2
              ! APIError: cut off!
              • first_part
                app.part=cut
        """,
        """
        ask_for_events
          chat small (client)
            gen_ai.request.model=small
            gen_ai.response.model=small-1
            app.question=six
            app.parts=4
            • first_part
              app.part=six
        """,
        """
        ask_for_lines
          chat small (client)
            gen_ai.request.model=small
            app.question=five
        """,
    )


def test_streams_of_the_asynchronous_client(run: Run):
    assert_traces(
        run,
        """
        ask_in_parts_async
          app.parts=4
          chat small (client)
            gen_ai.request.model=small
            gen_ai.response.model=small-1
            app.question=four
            app.parts=4
            • first_part
              app.part=four
        """,
        """
        ask_and_leave
          chat small (client)
            gen_ai.request.model=small
            gen_ai.response.model=small-1
            app.question=five
            app.parts=1
            • first_part
              app.part=five
        """,
    )


def test_calls_of_the_asynchronous_client(run: Run):
    assert_traces(
        run,
        """
        ask_async
          app.answer=one is a number
          chat small (client)
            gen_ai.request.model=small
            gen_ai.response.model=small-1
            gen_ai.usage.output_tokens=4
            app.question=one
        """,
        """
        ask_all
          ask_async
            app.answer=two is a number
            chat small (client)
              gen_ai.request.model=small
              gen_ai.response.model=small-1
              gen_ai.usage.output_tokens=4
              app.question=two
          ask_async
            app.answer=three is a number
            chat small (client)
              gen_ai.request.model=small
              gen_ai.response.model=small-1
              gen_ai.usage.output_tokens=4
              app.question=three
        """,
        """
        ask_or_say_why
          app.answer="failed: 500"
          ask_async
            ! InternalServerError: Error code: 500 - broken!
            chat small (client)
              gen_ai.request.model=small
              app.question=broken
              ! InternalServerError: Error code: 500 - broken!
        """,
    )


def test_check_has_no_remark():
    assert check(FOLDER, OPENAI_API_KEY="none").endswith("\nspec.yaml: no problems\nexit code 0")

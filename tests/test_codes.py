"""Every problem code has an entry, an example, its fix, and a page that shows the output of `instrument check`."""

import sys
from pathlib import Path

import pytest
from opentelemetry.instrumentation.declarative.cli.main import main
from opentelemetry.instrumentation.declarative.lint.problem_codes import (
    DIRECTORY,
    ProblemCode,
    code_pages,
    example_directory,
    example_problems,
    load_catalog,
)

from tests.emitted import Emitted, emitted

ROOT = Path(__file__).parents[1]
CATALOG = load_catalog()
SHOWN = [pytest.param(code, id=code.name) for code in CATALOG.codes.values() if not code.no_example]


@pytest.fixture(scope="module")
def reported() -> Emitted:
    """The codes in the source of the package."""
    return emitted()


@pytest.fixture(scope="module")
def rendered() -> dict[str, str]:
    return code_pages()


def test_the_code_of_every_problem_can_be_determined_from_the_source(reported: Emitted):
    assert reported.unclear == []


def test_every_code_that_can_be_reported_has_an_entry_and_no_other(reported: Emitted):
    found = reported.codes
    assert len(found) >= 50
    missing = {code: places for code, places in found.items() if code not in CATALOG.codes}
    assert missing == {}, "add them to schemas/problems.yaml"
    assert sorted(set(CATALOG.codes) - set(found)) == [], "remove them from schemas/problems.yaml"


def test_a_code_is_found_however_it_is_passed_to_the_problem():
    found = emitted(
        {
            "a.py": (
                "LAST = ('last', 'message')\n"
                "def explain(): return ('one' if x else 'two'), 'message'\n"
                "def problem(mark, code, message): Problem(mark, code, message)\n"
                "def unknown(mark, what): problem(mark, f'unknown-{what}', 'message')\n"
                "def use():\n"
                "    unknown(mark, 'hook')\n"
                "    Problem(mark, *LAST)\n"
                "    problem(mark, *explain())\n"
                "    Problem(mark, code='named', message='message')\n"
            ),
            "b.py": (
                "class A:\n"
                "    def _note(self, node, message, code='kept'): problem(node, code, message)\n"
                "    def use(self):\n"
                "        self._note(node, 'message')\n"
                "        self._note(node, 'message', 'given')\n"
            ),
            "c.py": "def _note(key, span, other): ...\ndef use(): _note('no', 'no', 'no')\n",
            "d.py": "def use(known): Problem(mark, known[0], 'message')\n",
        }
    )
    assert sorted(found.codes) == ["given", "kept", "last", "named", "one", "two", "unknown-hook"]
    assert found.unclear == ["d.py:1"]


def test_an_entry_without_an_example_says_why():
    without = {code.name for code in CATALOG.codes.values() if code.no_example}
    assert without == {"no-lifetime", "not-imported"}


@pytest.mark.parametrize("code", SHOWN)
def test_the_failing_example_has_this_problem_and_the_fixed_one_has_none(code: ProblemCode):
    problems = example_problems(code.failing, code.checked, CATALOG.library, code.encoding)
    assert {problem.code for problem in problems} == {code.name, *code.also}
    fixed = example_problems(code.fixed, next(iter(code.fixed)), CATALOG.library)
    assert [problem for problem in fixed if problem.severity != "note"] == []  # a note is not a problem


@pytest.mark.parametrize("code", SHOWN)
def test_the_page_shows_what_the_command_prints(
    code: ProblemCode, rendered: dict[str, str], capsys: pytest.CaptureFixture[str]
):
    with example_directory({**CATALOG.library, **code.failing}, code.encoding, CATALOG.library):
        main(["check", code.checked])
    printed = capsys.readouterr().out.strip()
    page = rendered[f"{DIRECTORY}/{code.name}.md"]
    if "\n⋮\n" in page:  # shortened: only the beginning and the end
        shown, rest = page.split("\n⋮\n")
        assert printed.startswith(shown.rpartition("```text\n")[2])
        assert printed.endswith(rest.partition("\n```")[0])
    else:
        assert f"```text\n{printed}\n```" in page


def test_the_pages_in_the_documentation_are_up_to_date(rendered: dict[str, str]):
    """`make docs` writes them."""
    current = {
        f"{DIRECTORY}/{path.name}": path.read_text(encoding="utf-8") for path in (ROOT / "docs" / DIRECTORY).iterdir()
    }
    assert sorted(current) == sorted(rendered)
    assert [path for path, text in rendered.items() if current[path] != text] == []


def test_every_part_has_codes_and_every_code_has_a_part():
    assert {code.part for code in CATALOG.codes.values()} == set(CATALOG.parts)


def test_the_summary_of_an_entry_is_one_sentence():
    assert [
        code.name for code in CATALOG.codes.values() if not code.summary.endswith(".") or ". " in code.summary
    ] == []


def test_an_example_leaves_neither_modules_nor_paths_behind():
    before = dict(sys.modules), list(sys.path), Path.cwd()
    code = CATALOG.codes["target-missing"]
    example_problems(code.failing, code.checked, CATALOG.library)
    assert [name for name in sys.modules if name.partition(".")[0] == "shop" and name not in before[0]] == []
    assert (sys.path, Path.cwd()) == before[1:]


def test_the_page_of_a_code_is_printed_on_the_terminal(capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as left:
        main(["check", "--explain", "unknown-name"])
    assert left.value.code == 0
    printed = capsys.readouterr().out
    assert printed.startswith("# unknown-name\n\nA name is neither a parameter of the callable")
    assert 'error[unknown-name]: "ordre" is not a parameter of Cart.checkout(self, order)' in printed
    assert "](" not in printed


def test_an_unknown_code_is_a_usage_error_with_a_suggestion(capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as left:
        main(["check", "--explain", "unknown-nam"])
    assert left.value.code == 2
    assert 'there is no code "unknown-nam". Did you mean "unknown-name"?' in capsys.readouterr().err

"""Every code has an entry, an example that gives it, the same mended, and a page that shows what is told."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from opentelemetry.instrumentation.declarative.cli.main import main
from opentelemetry.instrumentation.declarative.language.shipped import PACKAGED
from opentelemetry.instrumentation.declarative.lint.problem_codes import FOLDER, Code, folder, pages, table, told

from tests.emitted import emitted

ROOT = Path(__file__).parents[1]
TABLE = table()
SHOWN = [pytest.param(code, id=code.name) for code in TABLE.codes.values() if not code.cannot]


@pytest.fixture(scope="module")
def rendered() -> dict[str, str]:
    return pages()


def test_it_can_be_seen_of_every_problem_by_which_code_it_is_told() -> None:
    assert emitted().unclear == []


def test_every_code_that_can_be_told_has_an_entry_and_no_entry_is_left_over() -> None:
    found = emitted().codes
    assert len(found) >= 50
    lacking = {code: places for code, places in found.items() if code not in TABLE.codes}
    assert lacking == {}, "add them to schemas/problems.yaml"
    assert sorted(set(TABLE.codes) - set(found)) == [], "take them out of schemas/problems.yaml"


def test_a_code_is_found_however_it_reaches_the_problem() -> None:
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


def test_an_entry_without_an_example_says_why_there_is_none() -> None:
    without = {code.name for code in TABLE.codes.values() if code.cannot}
    assert without == {"no-lifetime", "not-imported", *(["extends-two"] if len(PACKAGED) == 1 else [])}


@pytest.mark.parametrize("code", SHOWN)
def test_the_failing_example_is_told_by_this_code_and_the_mended_one_by_none(code: Code) -> None:
    found = {problem.code for problem in told(code.failing, code.checked, TABLE.library, code.encoding)}
    assert found == {code.name, *code.also}
    mended = told(code.mended, next(iter(code.mended)), TABLE.library)
    assert [problem for problem in mended if problem.severity != "note"] == []  # a note is no problem


@pytest.mark.parametrize("code", SHOWN)
def test_the_page_shows_what_the_command_prints(
    code: Code, rendered: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    with folder({**TABLE.library, **code.failing}, code.encoding, TABLE.library):
        main(["check", code.checked])
    printed = capsys.readouterr().out.strip()
    page = rendered[f"{FOLDER}/{code.name}.md"]
    if "\n⋮\n" in page:  # shortened: its beginning and its end
        shown, rest = page.split("\n⋮\n")
        assert printed.startswith(shown.rpartition("```text\n")[2])
        assert printed.endswith(rest.partition("\n```")[0])
    else:
        assert f"```text\n{printed}\n```" in page


def test_the_pages_in_the_documents_are_fresh(rendered: dict[str, str]) -> None:
    """They are written by `make docs`."""
    there = {f"{FOLDER}/{path.name}": path.read_text(encoding="utf-8") for path in (ROOT / "docs" / FOLDER).iterdir()}
    assert sorted(there) == sorted(rendered)
    assert [path for path, text in rendered.items() if there[path] != text] == []


def test_every_part_has_codes_and_every_code_a_part() -> None:
    assert {code.part for code in TABLE.codes.values()} == set(TABLE.parts)


def test_an_entry_says_what_is_wrong_in_one_sentence() -> None:
    assert [code.name for code in TABLE.codes.values() if not code.means.endswith(".") or ". " in code.means] == []


def test_an_example_leaves_neither_modules_nor_paths_behind() -> None:
    before = dict(sys.modules), list(sys.path), Path.cwd()
    code = TABLE.codes["target-missing"]
    told(code.failing, code.checked, TABLE.library)
    assert [name for name in sys.modules if name.partition(".")[0] == "shop" and name not in before[0]] == []
    assert (sys.path, Path.cwd()) == before[1:]


def test_the_page_of_a_code_is_printed_on_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(["check", "--explain", "unknown-name"])
    assert left.value.code == 0
    printed = capsys.readouterr().out
    assert printed.startswith("# unknown-name\n\nA name is not a parameter of the callable")
    assert 'error[unknown-name]: "ordre" is not a parameter of Cart.checkout(self, order)' in printed
    assert "](" not in printed


def test_a_code_that_is_not_there_is_told_with_the_one_that_was_probably_meant(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit) as left:
        main(["check", "--explain", "unknown-nam"])
    assert left.value.code == 2
    assert 'there is no code "unknown-nam". Did you mean "unknown-name"?' in capsys.readouterr().err

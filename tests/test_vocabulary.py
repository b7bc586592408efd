"""The project is written in the terms of its field: the words in `tests/vocabulary.py` are not used."""

from pathlib import Path

from tests import vocabulary


def test_no_file_uses_a_word_of_the_list():
    assert [str(use) for use in vocabulary.uses(vocabulary.tracked())] == []


def test_a_word_is_found_in_prose_in_names_and_in_the_names_of_files(tmp_path: Path):
    file = tmp_path / "what_is_told.md"
    file.write_text("It was told.\nA page is taken.\nis_meant = 1\nThe method recommends it.\n", encoding="utf-8")
    found = [(use.line, use.word) for use in vocabulary.uses([file], tmp_path)]
    assert list(dict.fromkeys(found)) == [(0, "told"), (1, "told"), (3, "meant")]

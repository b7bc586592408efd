"""A library of books with SQLAlchemy: events, hybrid attributes, sessions and repositories."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.real.command_lines import CommandLine, lines
from tests.real.programs import check, needs

pytestmark = needs("sqlalchemy", "aiosqlite")


@pytest.fixture
def program(tmp_path: Path) -> CommandLine:
    return CommandLine("database", tmp_path)


def test_the_spec_has_no_problem(program: CommandLine):
    assert check(program.folder).endswith("exit code 0")


def test_callables_that_the_orm_calls_are_traced_and_no_statement_is_added(program: CommandLine):
    run = program.run("python", "-m", "library")
    assert run.tree() == lines("""
        with_session
          not_empty library.key=first library.value=Ann
          not_empty library.key=last library.value=Lee
          add
          publish library.titles=[' Tea ', 'Cake'] library.author=Ann library.books=2
            on_title library.value= Tea  library.result=Tea
            on_title library.value=Cake library.result=Cake
            before_insert library.title=Tea
            before_insert library.title=Cake
            bind library.value=1-2 library.result=12
            bind library.value=1-2 library.result=12
          after_commit
          look library.book="library.models.Book"
          describe library.id=1
          load_isbn library.result=isbn 12
          name library.name=Ann Lee
          titles library.author=Ann library.titles=['Cake', 'Tea']
          rename library.old=Tea library.title= Green tea
            on_title library.value= Green tea library.result=Green tea
          count library.count=2
          called
            is_called library.first=Ann
            loaded
            on_load library.first=Ann
          called
            is_called library.first=Bob
          named library.first=Ann
            name library.name=sqlalchemy.sql.elements.ExpressionClauseList
            loaded
            on_load library.first=Ann
          name library.name=Ann Lee
          stream
            load_isbn library.result=isbn 12
            load_isbn library.result=isbn 12
          get library.kind=library.models.Book library.id=1 library.title=Green tea
            load_isbn library.result=isbn 12
          duplicate library.id=1
            on_title library.value=copy library.result=copy
            before_insert library.title=copy library.id=1
            bind library.value=1-2 library.result=12
          name library.name=sqlalchemy.sql.elements.ExpressionClauseList
          name library.name=sqlalchemy.sql.elements.ExpressionClauseList
          get library.kind=library.models.Author library.id=1
            loaded
            on_load library.first=Eve
          name library.name=Eve May
          not_empty library.key=first library.value= ! ValueError: first is empty
          get library.kind=library.models.Book library.id=2 library.title=Cake
            load_isbn library.result=isbn 12
          look Cake library.title=Cake library.book="library.models.Book"
        with_async_session
          not_empty library.key=first library.value=Ida
          not_empty library.key=last library.value=Ray
          async_add
          find library.first=Ida
          name library.name=Ida Ray
          async_stream
          run library.count=1
            count_authors
        """)

from sqlalchemy import event, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from library.models import Author, Book

statements = []


class LibrarySession(Session):
    def publish(self, author, *titles):
        books = [Book(title=title, author=author) for title in titles]
        self.add_all(books)
        self.flush()
        return books


@event.listens_for(LibrarySession, "after_commit")
def after_commit(session):
    statements.append("COMMIT")


def count_statements(engine):
    @event.listens_for(engine, "before_cursor_execute")
    def before(connection, cursor, statement, parameters, context, executemany):
        statements.append(statement.split()[0])


class Repository:
    def __init__(self, session):
        self.session = session

    def add(self, entity):
        self.session.add(entity)
        return entity

    def get(self, kind, id):
        return self.session.get(kind, id)

    def titles(self, author):
        return self.session.scalars(select(Book.title).where(Book.author == author).order_by(Book.title)).all()

    def rename(self, book, title):
        book.title = title
        return book

    def called(self, first):
        return self.session.scalars(select(Author).where(Author.is_called(first))).one_or_none()

    def named(self, name):
        return self.session.scalars(select(Author).where(Author.name == name)).one()

    def stream(self):
        yield from self.session.scalars(select(Book).order_by(Book.id))

    def duplicate(self, book):
        try:
            with self.session.begin_nested():
                self.session.add(Book(id=book.id, title="copy"))
        except IntegrityError:
            return

    def look(self, book):
        """Gets a book whose attributes may be expired."""

    def count(self):
        return self.session.scalar(select(func.count(Book.id)))


class AsyncRepository:
    def __init__(self, session):
        self.session = session

    async def add(self, author):
        self.session.add(author)
        await self.session.commit()
        return author

    async def find(self, first):
        return (await self.session.scalars(select(Author).where(Author.first == first))).first()

    async def stream(self):
        async for author in await self.session.stream_scalars(select(Author).order_by(Author.id)):
            yield author.first

    async def run(self):
        return await self.session.run_sync(count_authors)


def count_authors(session):
    return session.scalar(select(func.count(Author.id)))

import asyncio

from sqlalchemy import create_engine, inspect, update
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlalchemy.orm import sessionmaker
from sqlalchemy.pool import StaticPool

from library import models, repository
from library.models import Author, Base, Book


def with_session():
    engine = create_engine("sqlite://", poolclass=StaticPool)
    Base.metadata.create_all(engine)
    repository.count_statements(engine)
    with sessionmaker(engine, class_=repository.LibrarySession)() as session:
        books = repository.Repository(session)
        author = books.add(Author(first="Ann", last="Lee"))
        tea, _ = session.publish(author, " Tea ", "Cake")
        session.commit()
        print("expired", sorted(inspect(tea).expired_attributes))
        books.look(tea)
        author.describe()
        print("still expired", sorted(inspect(tea).expired_attributes))
        print(tea.author.name, tea.isbn, author.is_loaded if hasattr(author, "is_loaded") else None)
        print(books.titles(author), books.rename(tea, " Green tea").title, books.count())
        session.expunge_all()
        print(books.called("Ann").is_loaded, books.called("Bob"), books.named("Ann Lee").name)
        print([book.title for book in books.stream()], books.duplicate(books.get(Book, 1)))
        session.execute(update(Author).values({Author.name: "Eve May"}))
        print(books.get(Author, 1).name)
        try:
            Author(first="")
        except ValueError as error:
            print(error)
        session.rollback()
        detached = books.get(Book, 2)
    books.look(detached)
    print(models.log, repository.statements)


async def with_async_session():
    engine = create_async_engine("sqlite+aiosqlite://", poolclass=StaticPool)
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    async with async_sessionmaker(engine)() as session:
        authors = repository.AsyncRepository(session)
        author = await authors.add(Author(first="Ida", last="Ray"))
        print("expired", sorted(inspect(author).expired_attributes))
        await session.refresh(author)
        print((await authors.find("Ida")).name, [name async for name in authors.stream()], await authors.run())
    await engine.dispose()


def main():
    with_session()
    asyncio.run(with_async_session())

"""Uses SQLite, also asynchronously, and a server of Postgres that it starts, through a socket and through TCP."""

import asyncio
import contextlib

import sqlalchemy
import sqlalchemy.ext.asyncio
from sqlalchemy import Connection, Engine, ForeignKey, insert, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship
from sqlalchemy.pool import StaticPool

from tests.libraries.postgres import start_postgres

SELECT = text("SELECT 1")


class Base(DeclarativeBase):
    pass


class Cart(Base):
    __tablename__ = "carts"
    id: Mapped[int] = mapped_column(primary_key=True)
    customer: Mapped[str]
    lines: Mapped[list["Line"]] = relationship()


class Line(Base):
    __tablename__ = "lines"
    id: Mapped[int] = mapped_column(primary_key=True)
    item: Mapped[str]
    cart_id: Mapped[int] = mapped_column(ForeignKey("carts.id"))


FOLDER, PORT = start_postgres()
used: list[Connection] = []


def prepare() -> None:
    """The instrumentation of OpenTelemetry traces the engines that are created once it is active."""
    for connection in used:
        connection.engine.dispose()
    used[:] = [sqlalchemy.create_engine("sqlite://", poolclass=StaticPool).connect()]


def hot() -> None:
    used[0].execute(SELECT)


def use(engine: Engine) -> None:
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        session.add_all([Cart(customer="Ann", lines=[Line(item="tea"), Line(item="cup")]), Cart(customer="Bob")])
        session.commit()
        session.scalars(select(Cart).join(Line).where(Line.item == "tea")).all()
    with engine.begin() as connection:
        connection.execute(
            insert(Line), [{"id": 8, "item": "pot", "cart_id": 1}, {"id": 9, "item": "jar", "cart_id": 1}]
        )
        connection.execute(
            insert(Line).returning(Line.id), [{"item": "mug", "cart_id": 2}, {"item": "pan", "cart_id": 2}]
        )
        connection.execute(text("/* all */ SELECT count(*) FROM lines")).scalar_one()
        connection.exec_driver_sql("SELECT item FROM lines").all()
    with engine.connect() as connection, contextlib.suppress(DBAPIError):
        connection.execute(text("SELECT * FROM nothing"))
    Base.metadata.drop_all(engine)
    engine.dispose()


async def use_async() -> None:
    engine = sqlalchemy.ext.asyncio.create_async_engine("sqlite+aiosqlite://")
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
        await connection.execute(insert(Cart).values(customer="Ann"))
        await connection.execute(select(Cart))
    await engine.dispose()


def main() -> None:
    use(sqlalchemy.create_engine("sqlite://"))
    use(sqlalchemy.create_engine(f"postgresql+psycopg2://postgres@/postgres?host={FOLDER}&port={PORT}"))
    use(sqlalchemy.create_engine(f"postgresql+psycopg2://postgres@127.0.0.1:{PORT}/postgres"))
    use(sqlalchemy.create_engine(f"postgresql+psycopg://postgres@/postgres?host={FOLDER}&port={PORT}"))
    asyncio.run(use_async())
    with contextlib.suppress(DBAPIError):
        sqlalchemy.create_engine("postgresql+psycopg2://postgres@127.0.0.1:1/postgres").connect()

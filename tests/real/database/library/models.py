from sqlalchemy import ForeignKey, String, TypeDecorator, event
from sqlalchemy.ext.hybrid import hybrid_method, hybrid_property
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, reconstructor, relationship, validates


class Base(DeclarativeBase):
    def describe(self):
        return f"{type(self).__name__} {self.id}"


class Isbn(TypeDecorator):
    impl = String
    cache_ok = True

    def process_bind_param(self, value, dialect):
        return value.replace("-", "")

    def process_result_value(self, value, dialect):
        return f"isbn {value}"


class Author(Base):
    __tablename__ = "authors"
    id: Mapped[int] = mapped_column(primary_key=True)
    first: Mapped[str]
    last: Mapped[str]
    books: Mapped[list["Book"]] = relationship(back_populates="author")

    @hybrid_property
    def name(self):
        return self.first + " " + self.last

    @name.update_expression
    def name(cls, value):
        first, last = value.split(" ")
        return [(cls.first, first), (cls.last, last)]

    @hybrid_method
    def is_called(self, first):
        return self.first == first

    @validates("first", "last")
    def not_empty(self, key, value):
        if not value:
            raise ValueError(f"{key} is empty")
        return value

    @reconstructor
    def loaded(self):
        self.is_loaded = True


class Book(Base):
    __tablename__ = "books"
    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str]
    isbn: Mapped[str] = mapped_column(Isbn, default="1-2")
    author_id: Mapped[int | None] = mapped_column(ForeignKey("authors.id"))
    author: Mapped[Author | None] = relationship(back_populates="books")


log = []


@event.listens_for(Book, "before_insert")
def before_insert(mapper, connection, target):
    log.append(f"insert {target.title}")


@event.listens_for(Book.title, "set", retval=True)
def on_title(target, value, oldvalue, initiator):
    return value.strip()


@event.listens_for(Author, "load")
def on_load(target, context):
    log.append("load")

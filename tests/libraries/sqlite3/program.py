"""Uses a database in memory through a connection and a cursor."""

import contextlib
import sqlite3

CREATE = "create table items (name text, price real)"


def main() -> None:
    connection = sqlite3.connect(":memory:")
    with contextlib.closing(connection.cursor()) as cursor:
        cursor.execute(CREATE)
        cursor.execute("insert into items values (?, ?)", ("tea", 5))
        cursor.executemany("INSERT INTO items VALUES (?, ?)", [("cup", 2), ("pot", 9)])
        cursor.execute("/* all */ select * from items").fetchall()
        with contextlib.suppress(sqlite3.OperationalError):
            cursor.execute("select * from nothing")
    connection.close()

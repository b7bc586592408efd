"""A server of Postgres for the programs of libraries, from the package pgserver."""

import atexit
import socket
import tempfile

import pgserver
from pgserver._commands import pg_ctl


def start_postgres() -> tuple[str, int]:
    """Start a server, which is stopped when the process ends, and return the folder of its socket and its port."""
    server = pgserver.get_server(tempfile.mkdtemp(), cleanup_mode="delete")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    folder = server.get_uri().partition("host=")[2]
    options = f'-h 127.0.0.1 -p {port} -k "{folder}"'
    of_server = {"pgdata": server.pgdata, "user": server.system_user}
    pg_ctl(["-w", "restart", "-o", options], timeout=20, **of_server)
    atexit.register(pg_ctl, ["-m", "fast", "stop"], **of_server)
    return folder, port

"""What routes depend on."""

from collections.abc import AsyncIterator, Iterator
from typing import Annotated

from fastapi import Depends, Header, HTTPException

from shop.settings import Settings, get_settings
from shop.stock import Session


def get_token(authorization: Annotated[str | None, Header()] = None) -> str:
    if authorization is None:
        raise HTTPException(401, "no token")
    return authorization.removeprefix("Bearer ")


async def get_user(token: Annotated[str, Depends(get_token)]) -> str:
    return f"user {token}"


def get_session() -> Iterator[Session]:
    session = Session()
    try:
        yield session
    finally:
        session.close()


async def get_transaction(session: Annotated[Session, Depends(get_session)]) -> AsyncIterator[str]:
    try:
        yield "transaction"
    except Exception:
        rollback()
        raise


def rollback() -> None:
    """Undo the transaction."""


class Pager:
    def __init__(self, settings: Annotated[Settings, Depends(get_settings)], start: int = 0) -> None:
        self.start = start
        self.size = settings.page_size


class Limiter:
    """Counts the requests of a route."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.count = 0

    def __call__(self) -> int:
        self.count += 1
        return self.limit - self.count


async def require_key(x_key: Annotated[str, Header()] = "none") -> None:
    if x_key == "wrong":
        raise HTTPException(403, "wrong key")

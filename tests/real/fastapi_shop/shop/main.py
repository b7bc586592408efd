"""The application, which `uvicorn shop.main:app` serves."""

from asyncio import wait_for
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import lru_cache, wraps
from typing import Any

from fastapi import Depends, FastAPI, Request, Response, WebSocket
from fastapi.responses import JSONResponse

from shop import mail, orders
from shop.dependencies import get_user, require_key
from shop.middleware import Entrance, Versioned
from shop.stock import OutOfStock, watch_stock


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    await open_pool(app)
    yield
    await close_pool(app)


async def open_pool(app: FastAPI) -> None:
    app.state.pool = "pool"


async def close_pool(app: FastAPI) -> None:
    app.state.pool = None


app = FastAPI(lifespan=lifespan)
app.include_router(orders.router, prefix="/orders", dependencies=[Depends(require_key)])


@app.middleware("http")
async def count_request(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
    response = await call_next(request)
    response.headers["x-path"] = request.url.path
    return response


app.add_middleware(Versioned)
app.add_middleware(Entrance)


@app.exception_handler(OutOfStock)
async def out_of_stock(request: Request, error: OutOfStock) -> JSONResponse:
    return JSONResponse({"item": error.item}, status_code=409)


@lru_cache
def get_banner() -> str:
    return "welcome"


@app.get("/banner")
async def read_banner(banner: str = Depends(get_banner)) -> str:
    return banner


def audited(route: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    @wraps(route)
    async def wrapper(*args: Any, **kwargs: Any) -> Any:
        return await wait_for(route(*args, **kwargs), 10)

    return wrapper


@audited
@app.get("/hours")
async def read_hours(day: str = "monday") -> str:
    return f"{day}: 9 to 5"


@app.get("/hours/today")
async def read_hours_of_today() -> str:
    return str(await read_hours("friday"))


@app.get("/sent")
async def list_sent() -> list[str]:
    return mail.SENT


@app.get("/crash")
def crash() -> None:
    raise ValueError("crash")


@app.websocket("/stock/{item}")
async def follow_stock(socket: WebSocket, item: str) -> None:
    await socket.accept()
    async for left in watch_stock(item):
        await socket.send_json({"item": item, "left": left})
    await socket.close()


class Status:
    def __init__(self, name: str) -> None:
        self.name = name

    async def read(self, user: str = Depends(get_user)) -> dict[str, Any]:
        return {"name": self.name, "user": user}


app.add_api_route("/status", Status("shop").read)

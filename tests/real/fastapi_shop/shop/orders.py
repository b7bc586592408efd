"""The routes of orders."""

from typing import Annotated, Any

from fastapi import APIRouter, BackgroundTasks, Depends, HTTPException
from fastapi.responses import StreamingResponse

from shop.dependencies import Limiter, Pager, get_session, get_transaction, get_user
from shop.mail import notify_warehouse, send_receipt
from shop.stock import ORDERS, Order, Session, export_rows, price_of, reserve

router = APIRouter()


@router.get("")
def list_orders(pager: Annotated[Pager, Depends()]) -> dict[str, Any]:
    return {"orders": sorted(ORDERS)[pager.start :], "size": pager.size}


@router.get("/export")
async def export_orders() -> StreamingResponse:
    return StreamingResponse(export_rows(3), media_type="text/plain")


@router.get("/{number}")
async def read_order(number: int, left: int = Depends(Limiter(100))) -> dict[str, Any]:
    if number not in ORDERS:
        raise HTTPException(404, f"there is no order {number}")
    item = ORDERS[number].order.item
    return {"item": item, "price": await price_of(item), "left": left}


@router.post("", status_code=201)
async def create_order(
    order: Order,
    background: BackgroundTasks,
    user: Annotated[str, Depends(get_user)],
    session: Annotated[Session, Depends(get_session)],
    transaction: Annotated[str, Depends(get_transaction)],
) -> dict[str, Any]:
    left = reserve(order.item, order.amount)
    stored = session.save(order)
    background.add_task(send_receipt, stored.number, to=user)
    background.add_task(notify_warehouse, stored.number)
    return {"number": stored.number, "left": left, "closed": session.closed}


def delete_order(number: int) -> None:
    del ORDERS[number]


router.add_api_route("/{number}", delete_order, methods=["DELETE"], status_code=204)

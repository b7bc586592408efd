import asyncio

SENT: list[str] = []


def send_receipt(number: int, to: str) -> None:
    SENT.append(f"{to}: receipt {number}")


async def notify_warehouse(number: int) -> None:
    await asyncio.sleep(0)
    SENT.append(f"warehouse: order {number}")

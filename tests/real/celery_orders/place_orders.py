"""Sends tasks, and prints their results."""

import sys

from celery import chain, chord, group
from orders import app
from orders.invoices import mail, write
from orders.reports import daily, stock
from orders.tasks import PaymentDeclined, charge, pack, ship, total

if "--eager" in sys.argv:
    app.conf.task_always_eager = app.conf.task_store_eager_result = True


sent = [
    total.delay([1, 2]),
    chain(total.s([20, 22]), charge.s(order="o-1")).apply_async(),
    charge.delay(500, "o-2"),
    ship.apply_async(("o-3",), {"carrier": "bike"}),
    group(write.s("o-4"), write.s("o-5")).apply_async(),
    chord([total.s([1]), total.s([2])])(total.s()),
    (write.s("o-6") | mail.s(to="Ann")).apply_async(),
    daily.delay("monday"),
    stock.delay("chair"),
]
pack.delay("o-7")
for result in sent:
    try:
        print(result.get(timeout=90, interval=0.05))
    except PaymentDeclined as error:
        print("declined", error)
print(total([5, 6]), daily.render("today"))

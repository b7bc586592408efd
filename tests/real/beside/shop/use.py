import asyncio

from shop.orders import Cart, Declined, items, pay, ship, stored


def use():
    print(pay("o-1"), asyncio.run(ship("o-2", carrier="bike")))
    generator = items("o-3")
    print(next(generator), generator.send("x"), list(generator))
    print(Cart.load("c").total(1, 2), Cart.check("c"), stored(1))
    try:
        pay("o-4", amount=11)
    except Declined as error:
        print("declined", error, type(error.__context__), error.__traceback__.tb_frame.f_code.co_name)

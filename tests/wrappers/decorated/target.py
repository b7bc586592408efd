import functools


def decorate(function):
    @functools.wraps(function)
    def decorated(*args, **kwargs):
        return function(*args, **kwargs)

    return decorated


@decorate
def pay(order, amount=1):
    return order, amount

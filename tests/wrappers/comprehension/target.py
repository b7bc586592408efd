def checkout(order, limit):
    return order

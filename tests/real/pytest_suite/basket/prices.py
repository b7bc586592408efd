class Basket:
    def __init__(self):
        self.items = {}

    def add(self, article, price):
        self.items[article] = price
        return self

    def total(self):
        return sum(self.items.values())


def rounded(value):
    return round(value, 2)

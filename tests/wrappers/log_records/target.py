class Shop:
    def order(self, order_id):
        return self.pay(order_id, None)

    def pay(self, order_id, card):
        return order_id

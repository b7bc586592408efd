class Bus:
    async def send(self, message):
        return message

    async def deliver(self, message):
        return 0

class Inbox:
    def receive(self, message, reply=None):
        return message, reply

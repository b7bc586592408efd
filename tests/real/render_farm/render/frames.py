import os
from functools import partial


class FrameError(Exception):
    def __init__(self, number):
        super().__init__(number)
        self.number = number


scale = 1


def initialize(value):
    """Runs once in each worker."""
    global scale
    scale = value


def shade(number):
    return number * scale


def frame(number):
    if number == 13:
        raise FrameError(number)
    return shade(number)


double = partial(frame)


class Scene:
    def __init__(self, name):
        self.name = name

    def draw(self, number):
        return f"{self.name}{frame(number)}"

    def __call__(self, number):
        return self.draw(number)

    @staticmethod
    def area(width, height):
        return width * height

    @classmethod
    def load(cls, name):
        return cls(name).draw(1)


def report(connection, number):
    """The target of a process."""
    connection.send(frame(number))
    connection.close()


def received(results):
    """A callback in the parent."""
    print("received", results)


def failed(error):
    print("failed", repr(error))


def program():
    """The program of a child process."""
    print("child", frame(int(os.environ.get("FRAME", 7))))

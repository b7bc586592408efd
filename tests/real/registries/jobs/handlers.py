import atexit
import functools
import signal

EXPORTERS = {}


def exporter(name):
    """Registers a function as it is."""

    def register(function):
        EXPORTERS[name] = function
        return function

    return register


@exporter("csv")
def to_csv(rows):
    return ",".join(map(str, rows))


@exporter("json")
async def to_json(rows):
    return str(rows)


@functools.singledispatch
def show(value):
    return f"value {value}"


@show.register
def show_number(value: int):
    return f"number {value}"


@show.register(list)
def _show_list(value):
    return f"list of {len(value)}"


@functools.lru_cache
def slow(number):
    return number * 2


class Counter:
    """An instance that is called."""

    def __init__(self):
        self.count = 0

    def __call__(self, step):
        self.count += step
        return self.count


count = Counter()


@atexit.register
def goodbye():
    print("goodbye")


@atexit.register
def unregistered():
    print("never printed")


atexit.unregister(unregistered)


def on_signal(number, frame):
    print("signal", signal.Signals(number).name, frame.f_code.co_name)


signal.signal(signal.SIGUSR1, on_signal)


def release(name):
    print("released", name)


def run_later(name):
    print("ran", name)
    return name


def key_of(word):
    return word.lower()


key_of_all = functools.partial(key_of, "ALL")


FOUND = {}


class Plugin:
    def __init_subclass__(cls, name="", **more):
        super().__init_subclass__(**more)
        FOUND[name] = cls

    def run(self):
        return f"{type(self).__name__} of {self.base()}"

    def base(self):
        return "base"


class Csv(Plugin, name="csv"):
    def base(self):
        return "rows"


def load():
    """An entry point."""
    return "loaded"

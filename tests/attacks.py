"""Attacks on expressions: ways to escape from `eval`, to exhaust the memory, or not to terminate."""

from __future__ import annotations

from typing import Any

#: These are refused.
CLASSICS = r"""
().__class__.__base__.__subclasses__()
"".__class__.__mro__[1].__subclasses__()
self.__class__.__init__.__globals__["os"]
self.method.__func__.__globals__
self.method.__self__
self.method.__closure__[0].cell_contents
method.func_globals
kind.mro()
kind.__subclasses__
stream.gi_frame.f_back.f_globals
stream.gi_code
self.coroutine.cr_frame.f_builtins
self.asyncgen.ag_frame.f_locals
error.__traceback__.tb_frame
error.tb_frame.f_code.co_consts
error.__context__
"{0.__class__}".format(self)
"{0.__class__}".format_map(data)
"".join.__self__
text.format(self)
f"{self.__class__}"
f"{self!r}"
f"{self:{text}}"
f"{self:>{number}}"
f"{number:1000000000}"
f"{self.id=}"
f"{f'{self.__dict__}'}"
"%1000000000d" % number
"%s" % self
"x" * 1000000000
[0] * 1000000000
(0,) * number
number * "x"
9 ** 9 ** 9
9 ** number
1 << 1000000000
1 >> number
~number
self @ self
self | self
self.__getattribute__("x")
getattr(self, "__class__")
setattr(self, "x", 1)
eval("1")
exec("1")
compile("1", "", "eval")
open("x")
input()
vars(self)
dir(self)
globals()
locals()
type("X", (), {})
__import__("os")
__builtins__
__debug__
__name__
import os
x = 1
self.x = 1
self.x += 1
del self.x
(x := 1)
[x := 1, x]
lambda: 0
(lambda: 0)()
{x for x in endless}
{x: x for x in endless}
(x for x in endless)
[[x for x in data] for y in data]
[x for x in data for y in data]
[x for x in [y for y in [x for x in data]] if [z for z in data]]
[x async for x in stream]
[x for x, y in data]
[x for x.id in data]
[x for __builtins__ in data]
[x.__class__ for x in data]
[x() for x in data]
[number for number in data] + [number]
await self
(yield)
(yield from endless)
[*endless]
(*endless,)
len(*endless)
str(object=self)
str(**data)
{**data}
{1: 2}
{1, 2}
...
1j
data[...]
data[0:1, 0:1]
self.method()
self()
data["key"]()
(self.id if none else self.method)()
str(self)()
@self
assert self
raise error
return 1
pass
1; 2
print self
`self`
self->id
$self
self.id\
""".strip().split("\n")

#: Characters that Python normalizes to others in identifiers, which are compared as normalized.
LOOK_ALIKES = [
    "self.__class\uff3f\uff3f",
    "self.__cl\uff41ss__",
    "self._\uff3fclass__",
    "self.__\U0001d4ec\U0001d4f5\U0001d4ea\U0001d4fc\U0001d4fc__",
    "stream.\uff47i_frame",
    "stream.gi_\U0001d4eframe",
    "error.tb_\uff46rame",
    "__im\uff50ort__",
    "__builtin\u017f__",
]

#: Attacks that only read, with their values.
HARMLESS: dict[str, Any] = {
    "(1).real": 1,
    "1 .numerator": 1,
    "text.format": None,
    "kind.mro": None,
    "method.nothing": None,
    '"{0.__class__}"': "{0.__class__}",
    'f"{{0.__class__}}"': "{0.__class__}",
    "1 in endless": None,
    "endless in endless": None,
    "'x' in wide": None,
    "1 in stream": None,
    "1 in liar": None,
    "len(liar)": 2**62,
    "len(endless)": None,
    "len(stream)": None,
    "int(huge)": 10**4000,
    "int(price)": None,
    "int('9' + '9' + text)": None,
    "float(huge)": None,
    "huge * huge * huge * huge": None,
    "price * price": None,
    "huge % 7": 10**4000 % 7,
    "loud == 1": None,
    "bool(loud)": None,
    "str(loud)": None,
    "loud.anything": None,
    "loud and 1": None,
    "like(text, text)": True,
    "json(mapping)": '{"x": "x"}',
    "mapping.anything": "x",
    "self.get": None,
    "endless[9 * 9]": 1,
    "1 < 2 < 3 < number < price": True,
    "wide[::7][5]": 35,
    "[x for x in endless]": None,
    "[x for x in stream]": None,
    "[x for x in text]": None,
    "len(x for x in endless)": None,
    "len([x for x in mapping])": None,
    "[y for y in [x for x in endless]]": None,
    "[x for x in wide][999]": 999,
    "sum(x for x in wide)": None,
    "sum(wide)": None,
    "max(wide)": None,
    "any(stream)": None,
    "join(stream, ',')": None,
    "keys(self)": None,
    "[f'{x}{text}' for x in mapping][999]": "x" + "a text of {0.__class__} and %s " * 3,
}

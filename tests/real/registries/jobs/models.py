import dataclasses
import enum

import attrs
import pydantic


@dataclasses.dataclass
class Order:
    amount: int
    total: int = dataclasses.field(init=False)

    def __post_init__(self):
        self.total = self.amount * 2


def to_cents(value):
    return int(value * 100)


@attrs.define
class Price:
    value: int = attrs.field(converter=to_cents)
    currency: str = attrs.field(default="EUR")

    @currency.validator
    def check_currency(self, attribute, value):
        if len(value) != 3:
            raise ValueError(attribute.name)

    def __attrs_post_init__(self):
        self.prepare()

    def prepare(self):
        pass


def strip(value):
    return value.strip()


class User(pydantic.BaseModel):
    name: str
    mail: str = ""

    @pydantic.field_validator("name")
    @classmethod
    def check_name(cls, value):
        if value == "root":
            raise ValueError("not allowed")
        return strip(value)

    @pydantic.model_validator(mode="after")
    def check_all(self):
        return self

    @pydantic.computed_field
    @property
    def short(self) -> str:
        return self.name[:1]

    @pydantic.field_serializer("mail")
    def hide(self, mail):
        return "***"

    def model_post_init(self, context):
        self.joined()

    def joined(self):
        pass


class Color(enum.Enum):
    RED = 1

    @classmethod
    def _missing_(cls, value):
        return cls.RED

    @property
    def hex(self):
        return "#f00"

from functools import lru_cache

from pydantic import BaseModel


class Settings(BaseModel):
    currency: str = "EUR"
    page_size: int = 10


@lru_cache
def get_settings() -> Settings:
    return read_settings("shop.toml")


def read_settings(file: str) -> Settings:
    return Settings()

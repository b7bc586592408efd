from jobs.handlers import Plugin


class Json(Plugin, name="json"):
    pass

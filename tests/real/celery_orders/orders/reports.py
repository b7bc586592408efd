from celery import Task

from orders.celery import app


class Report(app.Task):
    name = "reports.daily"

    def run(self, day):
        return self.render(day)

    def render(self, day):
        return f"report of {day}"


daily = app.register_task(Report())


class Counted(Task):
    """A base class of tasks, which counts their runs."""

    runs = 0

    def __call__(self, *args, **kwargs):
        self.runs += 1
        return super().__call__(*args, **kwargs)

    def on_success(self, retval, task_id, args, kwargs):
        self.last = retval


@app.task(base=Counted)
def stock(article):
    return len(article)

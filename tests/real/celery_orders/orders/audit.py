import os
from pathlib import Path

from celery.signals import task_failure, task_prerun, task_retry

from orders.tasks import charge


def note(text):
    with (Path(os.environ["SCRATCH"]) / "audit.txt").open("a") as file:
        file.write(text + "\n")


@task_prerun.connect(sender=charge)
def on_start(task, **_):
    note(f"start {task.name}")


@task_failure.connect
def on_failure(sender, exception, **_):
    note(f"failure {sender.name} {exception}")


@task_retry.connect(sender=charge)
def on_retry(sender, reason, **_):
    note(f"retry {sender.name}")

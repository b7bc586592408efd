import os
from pathlib import Path

from celery import Celery

folder = Path(os.environ["SCRATCH"]) / "broker"
for name in ("messages", "control", "results"):
    (folder / name).mkdir(parents=True, exist_ok=True)

app = Celery(
    "orders",
    broker="filesystem://",
    backend=f"file://{folder}/results",
    include=["orders.tasks", "orders.invoices", "orders.reports", "orders.audit"],
)
app.conf.update(
    broker_transport_options={
        "data_folder_in": str(folder / "messages"),
        "data_folder_out": str(folder / "messages"),
        "control_folder": str(folder / "control"),
        "polling_interval": 0.05,
    },
    result_chord_retry_interval=0.1,
    worker_hijack_root_logger=False,
    broker_connection_retry_on_startup=True,
)

from celery import shared_task


@shared_task
def write(order):
    return f"invoice of {order}"


@shared_task(bind=True, name="invoices.mail")
def mail(self, invoice, to="owner"):
    return f"{invoice} mailed to {to}"

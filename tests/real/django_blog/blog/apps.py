from django.apps import AppConfig
from django.db.models.signals import post_delete


class BlogConfig(AppConfig):
    name = "blog"

    def ready(self):
        from blog import models, signals

        post_delete.connect(signals.forget_post, sender=models.Post)

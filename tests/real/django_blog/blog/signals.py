from django.db.models.signals import post_save, pre_save
from django.dispatch import Signal, receiver

from blog.models import Comment, Post

INDEX = {}
commented = Signal()


@receiver(post_save, sender=Post)
def index_post(sender, instance, created, **kwargs):
    INDEX[instance.pk] = instance.title


@receiver([pre_save, post_save], sender=Comment)
def watch_comment(sender, instance, **kwargs):
    instance.text = instance.text.strip()


def forget_post(sender, instance, **kwargs):
    INDEX.pop(instance.pk, None)


@receiver(commented)
def thank(sender, comment, **kwargs):
    return f"thank you for {comment.text}"

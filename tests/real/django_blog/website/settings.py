import os
from pathlib import Path

SECRET_KEY = "a key for tests only"
DEBUG = False
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "website.urls"
WSGI_APPLICATION = "website.wsgi.application"
INSTALLED_APPS = ["django.contrib.contenttypes", "django.contrib.auth", "blog.apps.BlogConfig"]
MIDDLEWARE = [
    "website.middleware.CountQueries",
    "django.middleware.common.CommonMiddleware",
    "website.middleware.AddVersion",
    "website.middleware.add_language",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {"context_processors": ["website.context.site"]},
    }
]
DATABASES = {
    "default": {"ENGINE": "django.db.backends.sqlite3", "NAME": Path(os.environ.get("SCRATCH", "."), "blog.sqlite3")}
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True

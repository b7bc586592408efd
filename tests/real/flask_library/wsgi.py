from library import create_app

app = create_app()


class Measured:
    """Middleware around the application."""

    def __init__(self, application):
        self.application = application

    def __call__(self, environ, start_response):
        return self.application(environ, start_response)


app.wsgi_app = Measured(app.wsgi_app)

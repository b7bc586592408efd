"""A library of books, with SQLAlchemy."""

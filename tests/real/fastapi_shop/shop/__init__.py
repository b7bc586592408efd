"""A shop with an HTTP interface."""

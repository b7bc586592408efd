"""Code for single libraries that their specs name under `functions` or as a sink; one package per library."""

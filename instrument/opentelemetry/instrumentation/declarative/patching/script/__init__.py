"""The script, the module ``__main__``, and notebooks: their functions are found while they run."""

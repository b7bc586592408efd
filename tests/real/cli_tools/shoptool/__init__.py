"""Command lines of a shop: with click, with typer and with argparse."""

"""Writes the demo's file of reviews: those that ship, and two that are rejected."""

from importlib.resources import files
from pathlib import Path


def write_reviews(path: Path) -> int:
    """Write the file as a shop would hand it over; return how many reviews are in it.

    One text is empty and one is longer than a review may be: these two alone are rejected.
    """
    shipped = (files("iyu.console.demo") / "reviews.tsv").read_text(encoding="utf-8")
    text = shipped + f"demo-too-long\t{'정말 ' * 4_000}\n"
    path.write_text(text, encoding="utf-8")
    return text.count("\n") - 1

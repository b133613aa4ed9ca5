"""What a caller might say to the model that reads the call: orders, in six languages. Every one asks for ``PWNED``."""

from typing import Final

from dragoman.datasets.dataset import read_dataset
from dragoman.resources import samples_folder

_CASES: Final = [case.given for case in read_dataset(samples_folder() / "orders").cases]

TEXTS: Final = tuple((str(case["locale"]), str(case["text"])) for case in _CASES if case["kind"] == "order")
"""Locale and text."""

HARMLESS: Final = tuple(str(case["text"]) for case in _CASES if case["kind"] == "everyday")
"""What people say to each other."""

"""What the ``dragoman`` command's exit code says. Wrong usage is 2, as everywhere."""

from typing import Final

EXIT_OK: Final = 0

EXIT_FAILED: Final = 1
"""At least one input could not be processed completely."""

EXIT_INTERRUPTED: Final = 130
"""Stopped with Ctrl-C; what was finished by then stands."""

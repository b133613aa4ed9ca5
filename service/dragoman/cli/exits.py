"""What the ``dragoman`` command's exit code says."""

from typing import Final

EXIT_OK: Final = 0

EXIT_FAILED: Final = 1
"""At least one input could not be processed completely."""

EXIT_USAGE: Final = 2
"""The command was used wrongly: an option, a language or a setting that cannot be."""

EXIT_INTERRUPTED: Final = 130
"""Stopped with Ctrl-C; what was finished by then stands."""

"""Names of files inside a dataset: relative, with ``/``, and never leading out of it."""

from pathlib import PurePosixPath, PureWindowsPath
from typing import Final

from dragoman.domain.errors import DatasetInvalidError

_TAKEN: Final = frozenset({"dataset.json", "manifest.jsonl", "data.jsonl"})


def inside(name: str) -> PurePosixPath:
    """Return a path that stays inside of whatever folder it is put in.

    Raises:
        DatasetInvalidError: if it is absolute, climbs up, or is not one of this kind.
    """
    path = PurePosixPath(name)
    odd = "\\" in name or bool(PureWindowsPath(name).drive) or not name.isprintable()
    if not path.parts or path.is_absolute() or ".." in path.parts or odd:
        raise DatasetInvalidError(f"'{name}' is no path inside a dataset; write it like 'calls/monday.wav'.")
    return path


def check_recording(name: str) -> str:
    """Return the name of a recording's file as datasets write it.

    Raises:
        DatasetInvalidError: if it leads out of the dataset, or is the name of one of its own files.
    """
    path = inside(name)
    if str(path) in _TAKEN:
        raise DatasetInvalidError(f"'{name}' is a name that datasets need themselves; rename the recording.")
    return str(path)

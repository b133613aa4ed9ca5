"""What an image is built from: the files of a checkout that the image needs, and no others."""

import os
import shutil
from pathlib import Path
from typing import Final

from pathspec import GitIgnoreSpec

from dragoman.domain.errors import ReleaseInvalidError

IGNORED: Final = ".amlignore"


def stage(context: Path, folder: Path) -> int:
    """Copy a context into an empty folder, but for what its ``.amlignore`` names; return how many files there are.

    The SDK reads that file too, but only after it has walked through everything, environments and links included.

    Raises:
        ReleaseInvalidError: if it is no folder, or nothing is left of it.
    """
    ignored = context / IGNORED
    lines = ignored.read_text(encoding="utf-8").splitlines() if ignored.is_file() else []
    spec = GitIgnoreSpec.from_lines(lines)
    count = 0
    for at, folders, files in os.walk(context):
        here = Path(at).relative_to(context)
        folders[:] = [each for each in folders if not spec.match_file(f"{(here / each).as_posix()}/")]
        for name in files:
            if not spec.match_file((here / name).as_posix()) and (context / here / name).is_file():
                (folder / here).mkdir(parents=True, exist_ok=True)
                shutil.copy2(context / here / name, folder / here / name)
                count += 1
    if not count:
        raise ReleaseInvalidError(f"There is nothing to build an image from in '{context}' (see its {IGNORED}).")
    return count

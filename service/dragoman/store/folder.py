"""Folders that only their owner may read, and entries in them that last."""

import os
from pathlib import Path


def private_folder(folder: Path) -> None:
    """Create the folder, and those above it that are missing, with mode 0700; what is there stays as it is."""
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    for each in reversed(missing):
        each.mkdir(mode=0o700, exist_ok=True)
        sync_folder(each.parent)


def sync_folder(folder: Path) -> None:
    """Make the entries of a folder durable: files that were created in it, and that others were deleted."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

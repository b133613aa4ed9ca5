"""A dataset → a folder of its own."""

import shutil
from pathlib import Path

from dragoman.datasets.dataset import Dataset, write_dataset
from dragoman.datasets.objects import sha256_of
from dragoman.domain.errors import DatasetInvalidError


def pull(dataset: Dataset, folder: Path) -> None:
    """Write a dataset, recordings first, so that a folder with a manifest is whole.

    Copies, never links: whoever changes a file there must not change the store's.

    Raises:
        DatasetInvalidError: if something is in the folder, or a recording is not what the manifest says.
    """
    if folder.exists() and any(folder.iterdir()):
        raise DatasetInvalidError(f"'{folder}' is not empty; name a new folder.")
    for item in dataset.recordings:
        source, target = dataset.path(item), folder / item.file
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            shutil.copyfile(source, target)
        except OSError as error:
            raise DatasetInvalidError(f"'{item.file}' cannot be copied: {error}") from error
        if sha256_of(target) != item.sha256:
            raise DatasetInvalidError(f"'{item.file}' is not what the manifest says; look with: dragoman data validate")
    write_dataset(dataset, folder)

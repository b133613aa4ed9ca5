"""Where a Whisper model lies: a folder, or a name that a model hub knows."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from dragoman.domain.errors import ModelInvalidError, ModelMissingError

_SMALL_MODEL_BYTES: Final = 200_000_000
"""Between ``base`` and ``small``."""

_MOST_CALLS: Final = 8

_NEEDED: Final = ("model.bin", "config.json", "tokenizer.json")


@dataclass(frozen=True, slots=True)
class WhisperOptions:
    """How a model is run.

    ``model`` is a folder or a hub name (``"small"``, ``"large-v3-turbo"``, ``"owner/model"``). ``threads`` are CPU
    threads per call, 0 to let ``cpu_threads`` choose; ``workers`` calls run at once, 0 to let ``calls_at_once`` choose.
    ``beam_size`` 1 is greedy. ``margin_frames`` (10 ms each) of padding follow the speech in a right-sized window
    (docs/decisions/0003).
    """

    model: str
    device: str = "cpu"
    compute_type: str = "int8"
    threads: int = 0
    workers: int = 0
    beam_size: int = 1
    margin_frames: int = 100
    max_batch: int = 8


def cpu_threads(options: WhisperOptions, folder: Path) -> int:
    """Return the threads to use, 0 for CTranslate2's choice (at most 4).

    Small models are quicker with one: sharing windows of a few seconds costs more than it saves (the demo on 2 cores:
    2.1 s with one thread, 3.6 s with two).
    """
    small = (folder / "model.bin").stat().st_size < _SMALL_MODEL_BYTES
    return options.threads or (1 if small else 0)


def calls_at_once(options: WhisperOptions, threads: int) -> int:
    """Return how many calls of the model may run at once: one for every core, if each takes one thread.

    They share the weights. Calls of several threads, and those on a GPU, share the machine less well.
    """
    one_each = options.device == "cpu" and threads == 1
    return options.workers or (min(usable_cores(), _MOST_CALLS) if one_each else 1)


def usable_cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def find_model(name: str) -> Path:
    """Return the folder of a model, fetching it by name if it is not on this machine and a hub can be reached.

    Raises:
        ModelMissingError: if it is nowhere; the message names the file and the command that fetches it.
        ModelInvalidError: if a folder lacks a file that decoding needs.
    """
    folder = Path(name).expanduser()
    if not folder.is_dir():
        if _looks_like_path(name):
            raise ModelMissingError(
                f"There is no model folder at '{name}'. Give a folder that holds model.bin, or a name."
            )
        return _from_hub(name)
    if missing := _missing(folder):
        raise ModelInvalidError(
            f"'{folder}' is no faster-whisper model: {', '.join(missing)} is missing. Convert with "
            "'ct2-transformers-converter --copy_files tokenizer.json preprocessor_config.json', or fetch it again."
        )
    return folder


def _missing(folder: Path) -> list[str]:
    # Without tokenizer.json faster-whisper would silently fetch one of another model.
    return [file for file in _NEEDED if not (folder / file).is_file()]


def _looks_like_path(name: str) -> bool:
    return name.startswith((".", "~", os.sep)) or name.count("/") > 1 or name.endswith("/")


def _from_hub(name: str) -> Path:
    from faster_whisper.utils import download_model
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError, RepositoryNotFoundError

    try:
        cached = Path(download_model(name, local_files_only=True))
        if not _missing(cached):  # a download that was interrupted is taken up again
            return cached
    except ValueError as error:
        raise ModelMissingError(
            f"'{name}' is neither a folder nor a known model. Known names: micro, {', '.join(_names())}."
        ) from error
    except LocalEntryNotFoundError:
        pass
    try:
        folder = Path(download_model(name))
        missing = _missing(folder)
        cause: Exception | None = None
    except (RepositoryNotFoundError, HfHubHTTPError, LocalEntryNotFoundError, OSError) as error:
        missing, cause = ["model.bin"], error
    if not missing:
        return folder
    repository, here = _repository(name), Path(name).name
    raise ModelMissingError(
        f"Model '{name}' is not on this machine (no {', '.join(missing)} of {repository} in the cache), and the model "
        f"hub cannot be reached or does not have it. Where it can, run 'hf download {repository} --local-dir {here}', "
        f"bring the folder here and pass '--model ./{here}'."
    ) from cause


def _names() -> list[str]:
    from faster_whisper import available_models

    return sorted(str(name) for name in available_models())


def _repository(name: str) -> str:
    from faster_whisper.utils import _MODELS

    return name if "/" in name else str(_MODELS[name])

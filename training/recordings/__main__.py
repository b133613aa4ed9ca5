"""``python -m training.recordings``: make the sample recordings and their manifest, the same bytes on every run."""

import argparse
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from training.recordings.casting import Cast, cast
from training.recordings.manifest import read_manifest, write_manifest
from training.recordings.script import Recording, ScriptError, load_scripts
from training.recordings.studio import make

AUDIO = Path(__file__).parents[2] / "samples" / "audio"


def main() -> None:
    """Make all recordings, or those that are named."""
    parser = argparse.ArgumentParser(prog="python -m training.recordings", description=__doc__)
    parser.add_argument("files", nargs="*", help="recordings to make; all, if none is named")
    parser.add_argument("--folder", type=Path, default=AUDIO, help="where they go (default: %(default)s)")
    parser.add_argument("--texts", action="store_true", help="print what is said, and make nothing")
    arguments = parser.parse_args()
    try:
        recordings = load_scripts()
        casts = cast(recordings)
    except ScriptError as error:
        sys.exit(f"training.recordings: {error}")
    known = [recording.file for recording in recordings]
    if strangers := set(arguments.files) - set(known):
        sys.exit(f"training.recordings: no script makes {', '.join(sorted(strangers))}")
    wanted = [each for each in recordings if each.file in (arguments.files or known)]
    if arguments.texts:
        print("\n".join(line for each in wanted for line in _texts(each, casts[each.file])))
    else:
        _make_all(wanted, casts, arguments.folder, known)


def _make_all(wanted: Sequence[Recording], casts: Mapping[str, Cast], folder: Path, known: Sequence[str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    manifest = folder / "manifest.jsonl"
    entries = read_manifest(manifest)
    # A process for each: what espeak-ng has said before colours what it says next.
    with ProcessPoolExecutor(1, get_context("spawn"), max_tasks_per_child=1) as pool:
        jobs = [(each, casts[each.file], folder / each.file) for each in wanted]
        for made in pool.map(make, jobs):
            entries[str(made["file"])] = made
            print(f"{made['file']}: {made['duration_ms']} ms, {(folder / str(made['file'])).stat().st_size:,} bytes")
    write_manifest(manifest, [entries[name] for name in known if name in entries])


def _texts(recording: Recording, said: Cast) -> list[str]:
    lines = [f"  {cue.speaker} {cue.language} {cue.split[0]} {cue.text(cue.language)}" for cue in said.cues]
    return [f"{recording.file} ({recording.title})", *lines]


if __name__ == "__main__":
    main()

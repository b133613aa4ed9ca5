"""Streams sample calls through the public endpoint, and looks at every event: ``python smoke.py [ADDRESS]``.

The address is SERVICE_API_URI, as azd sets it. Who we are: DRAGOMAN_SMOKE_KEY, or a token for DRAGOMAN_ENTRA_AUDIENCE.
"""

import os
import sys
import time
import wave
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx
from azure.identity import AzureCliCredential, AzureDeveloperCliCredential, ChainedTokenCredential

from dragoman.client import stream_blocking
from dragoman.domain.errors import DragomanError
from dragoman.domain.events import ErrorEvent, Event, SessionEnded, TranscriptFinal, TranslationFinal
from dragoman.domain.messages import SessionWishes

SAMPLES: Final = Path(__file__).parents[2] / "samples" / "audio"
CALLS: Final = {"en_call.wav": "en-US", "de_call.wav": "de-DE"}
"""A recording, and what is spoken in it."""
_LANGUAGES: Final = ("en-US", "de-DE", "es-ES", "fr-FR")
_PIECE_FRAMES: Final = 1_600
_READY_S: Final = 300.0


@dataclass(frozen=True, slots=True)
class Said:
    """What one recording became, and what is wrong with that."""

    name: str
    finals: int
    translations: int
    engines: tuple[str, ...]
    seconds: float
    problems: tuple[str, ...]


def judge(name: str, locale: str, samples: int, events: Sequence[Event], seconds: float) -> Said:
    """Say what is wrong with the events of a recording of so many samples in one language."""
    problems = [f"error {each.code}: {each.message}" for each in events if isinstance(each, ErrorEvent)]
    finals = [each for each in events if isinstance(each, TranscriptFinal)]
    translations = [each for each in events if isinstance(each, TranslationFinal)]
    durable = [each.seq for each in events if hasattr(each, "seq")]
    if durable != list(range(durable[0], durable[0] + len(durable)) if durable else []):
        problems.append("the events have gaps")
    ended = events[-1] if events else None
    if not isinstance(ended, SessionEnded):
        problems.append("the session did not end")
    else:
        ledger = ended.ledger
        if ledger.accepted_samples != samples:
            problems.append(f"{ledger.accepted_samples} of {samples} samples were accepted")
        if ledger.accepted_samples != ledger.final_samples + ledger.lost_samples + ledger.discarded_samples:
            problems.append("the books do not balance")
        if ledger.lost_samples:
            problems.append(f"{ledger.lost_samples} samples were lost")
    if not finals:
        problems.append("nothing was heard")
    if others := {each.locale for each in finals} - {locale}:
        problems.append(f"heard {', '.join(sorted(others))} instead of {locale}")
    owed = sum(len(each.translates_to) for each in finals)
    if len(translations) != owed:
        problems.append(f"{len(translations)} of {owed} translations came")
    engines = tuple(sorted({each.engine for each in finals}))
    return Said(name, len(finals), len(translations), engines, seconds, tuple(problems))


def hear(address: str, key: str | None, name: str, locale: str) -> Said:
    """Stream one recording, faster than it was spoken."""
    with wave.open(str(SAMPLES / name)) as recording:
        sound = recording.readframes(recording.getnframes())
    pieces: Iterator[bytes] = (sound[at : at + 2 * _PIECE_FRAMES] for at in range(0, len(sound), 2 * _PIECE_FRAMES))
    target = "de" if locale.startswith("en") else "en"
    began_s = time.monotonic()
    try:
        events = list(
            stream_blocking(address, pieces, SessionWishes(languages=_LANGUAGES, translate=(target,)), key=key)
        )
    except DragomanError as error:
        return Said(name, 0, 0, (), time.monotonic() - began_s, (str(error),))
    return judge(name, locale, len(sound) // 2, events, time.monotonic() - began_s)


def wait(address: str) -> str | None:
    """Wait until a session could begin; return why none can."""
    said = "it does not answer"
    deadline_s = time.monotonic() + _READY_S
    with httpx.Client(timeout=10) as http:
        while time.monotonic() < deadline_s:
            try:
                answer = http.get(f"{address}/readyz")
                if answer.is_success:
                    return None
                said = answer.text
            except httpx.TransportError as error:
                said = str(error)
            time.sleep(2)
    return said


def main() -> int:
    """Print a line per recording; 1 if anything is wrong."""
    address = sys.argv[1] if len(sys.argv) > 1 else os.environ.get("SERVICE_API_URI", "")
    if not address:
        print("Where? python smoke.py https://…, or SERVICE_API_URI.", file=sys.stderr)
        return 1
    key = os.environ.get("DRAGOMAN_SMOKE_KEY")
    audience = os.environ.get("DRAGOMAN_ENTRA_AUDIENCE")
    if not key and audience:
        credential = ChainedTokenCredential(AzureDeveloperCliCredential(), AzureCliCredential())
        key = credential.get_token(f"{audience}/.default").token
    if reason := wait(address.rstrip("/")):
        print(f"{address} is not ready: {reason}", file=sys.stderr)
        return 1
    said = [hear(address, key, name, locale) for name, locale in CALLS.items()]
    for each in said:
        print(
            f"  {each.name}: {each.finals} finals and {each.translations} translations "
            f"by {', '.join(each.engines) or 'nobody'} in {each.seconds:.1f} s"
        )
        for problem in each.problems:
            print(f"    {problem}", file=sys.stderr)
    return 1 if any(each.problems for each in said) else 0


if __name__ == "__main__":
    sys.exit(main())

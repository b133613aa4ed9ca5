"""When partials are made: in beats, those of all streams together, as often as their cost allows."""

from typing import Final, Generic, TypeVar

W = TypeVar("W")

_SHORTEST_S, _LONGEST_S = 0.5, 1.0
_SHARE: Final = 0.15
"""Beats follow each other so that partials take no more than this share of a core, within these bounds."""

_PATIENCE_S: Final = 0.05


class Beats(Generic[W]):
    """Holds partials back: to be encoded at the next beat, and decoded in one batch when all of it are encoded.

    Decoding four texts at once costs little more than one. A stream that is alone waits for nobody. Times are those of
    the monotonic clock; its owner keeps threads apart.
    """

    def __init__(self) -> None:
        self._sounds: list[W] = []
        self._texts: list[W] = []
        self._beat_s = 0.0
        self._work_s = 0.0  # since that beat
        self._encoding = 0  # sounds of that beat that are not encoded yet
        self._encoded = 0  # and those whose text has not been asked for since
        self._encoded_s = 0.0

    def add_sound(self, work: W) -> None:
        """Take a sound to be encoded."""
        self._sounds.append(work)

    def add_text(self, work: W) -> None:
        """Take a text to be decoded."""
        self._texts.append(work)
        self._encoded -= 1

    def sound_done(self, now_s: float, *, encoded: bool) -> None:
        """Note that a sound is encoded, or that nobody wants it any more."""
        self._encoding -= 1
        self._encoded += encoded
        self._encoded_s = now_s

    def worked(self, seconds: float) -> None:
        """Note what a partial has cost."""
        self._work_s += seconds

    def sounds(self, now_s: float, *, closed: bool = False) -> list[W]:
        """Return the sounds whose beat has come: with them begins the next."""
        if not self._sounds or (now_s < self._next_beat_s and not closed):
            return []
        self._beat_s, self._work_s, self._encoded = now_s, 0.0, 0
        due, self._sounds = self._sounds, []
        self._encoding += len(due)
        return due

    def texts(self, now_s: float, *, closed: bool = False) -> list[W]:
        """Return the texts whose companions are there, or too late."""
        if not closed and (now_s < self._batch_s):
            return []
        due, self._texts = self._texts, []
        return due

    @property
    def wake_s(self) -> float | None:
        """When to ask again; ``None`` while there is nothing to wait for."""
        sounds_s = self._next_beat_s if self._sounds else None
        texts_s = self._batch_s if self._texts and not self._encoding else None
        return min((at_s for at_s in (sounds_s, texts_s) if at_s is not None), default=None)

    @property
    def _next_beat_s(self) -> float:
        return self._beat_s + min(max(_SHORTEST_S, self._work_s / _SHARE), _LONGEST_S)

    @property
    def _batch_s(self) -> float:
        if self._encoding:
            return float("inf")
        return self._encoded_s + (_PATIENCE_S if self._encoded > 0 else 0.0)

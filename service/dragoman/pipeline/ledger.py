"""The loss ledger: where every accepted sample of a session ended."""

from dragoman.domain.audio import SAMPLE_RATE_HZ, Span
from dragoman.domain.errors import EngineFailedError
from dragoman.domain.events import LedgerTotals
from dragoman.store.ports import Books


class Ledger:
    """Partitions accepted audio, the samples ``[0, accepted)``, into final, lost and discarded.

    Audio is settled from left to right, so the books can be neither gapped nor entered twice. They may be those of a
    session that goes on: then what was not settled is accepted anew.
    """

    def __init__(self, books: Books | None = None) -> None:
        books = books or Books()
        self._accepted = books.settled
        self._settled = books.settled
        self._text = books.text
        self._no_speech = books.settled - books.text - books.lost - books.discarded
        self._lost = books.lost
        self._discarded = books.discarded

    @property
    def settled(self) -> int:
        """Samples whose outcome is booked."""
        return self._settled

    @property
    def books(self) -> Books:
        """What is booked so far."""
        return Books(self._settled, self._text, self._lost, self._discarded)

    def accept(self, samples: int) -> None:
        """Enter audio that we answer for from now on."""
        self._accepted += samples

    def settle(self, span: Span, *, has_text: bool) -> None:
        """Book the next stretch as final: with text, or as holding no speech.

        Raises:
            EngineFailedError: if it does not begin where the last one ended, or ends after the accepted audio.
        """
        if span.start != self._settled or span.end > self._accepted:
            raise EngineFailedError(
                f"The engine settled samples {span.start} to {span.end}, but {self._settled} to at most "
                f"{self._accepted} were open. This is a defect of the engine; please report it."
            )
        self._settled = span.end
        if has_text:
            self._text += span.samples
        else:
            self._no_speech += span.samples

    def lose_rest(self) -> Span | None:
        """Book all open audio as lost; return it, or ``None`` if nothing was open."""
        lost = self._close()
        self._lost += lost.samples if lost else 0
        return lost

    def discard_rest(self) -> None:
        """Book all open audio as discarded at the user's wish."""
        discarded = self._close()
        self._discarded += discarded.samples if discarded else 0

    def totals(self) -> LedgerTotals:
        """Return the sums; call it when all audio is settled, lost or discarded."""
        final = self._text + self._no_speech
        assert self._accepted == final + self._lost + self._discarded, "the ledger does not balance"
        return LedgerTotals(
            accepted_samples=self._accepted,
            final_samples=final,
            text_samples=self._text,
            lost_samples=self._lost,
            discarded_samples=self._discarded,
            sample_rate_hz=SAMPLE_RATE_HZ,
        )

    def _close(self) -> Span | None:
        rest = Span(self._settled, self._accepted)
        self._settled = self._accepted
        return rest if rest.samples else None

"""One loaded model at work: a text in, its translation out, whole or not at all."""

from collections.abc import Sequence
from typing import Final, Protocol

from dragoman.domain.errors import TranslationFailedError
from dragoman.engines.ctranslate.guard import is_runaway, longest_translation
from dragoman.engines.ctranslate.languages import writes_spaces
from dragoman.engines.ctranslate.model import Prompt, TranslationModel
from dragoman.engines.ctranslate.options import CTranslate2Options
from dragoman.engines.ctranslate.routes import Leg
from dragoman.engines.ctranslate.sentences import cut, join
from dragoman.engines.ctranslate.tokenizer import Tokenizer, load_tokenizer

_NO_REPEAT_NGRAM: Final = 3
"""Breaks every loop of up to three tokens at once; used on second tries only, because honest text repeats itself."""


class Decoder(Protocol):
    """Turns batches of source tokens into target tokens."""

    def decode(
        self, sources: Sequence[list[str]], prefix: list[str], *, max_tokens: int, no_repeat_ngram: int = 0
    ) -> list[list[str]]:
        """Return the best tokens for every source, which begin with ``prefix``.

        None is longer than ``max_tokens``, and with ``no_repeat_ngram`` none says so many tokens twice. Sources are
        read whole, however long.
        """
        ...


_SMALL_BYTES: Final = 300 << 20


def _threads(model: TranslationModel) -> int:
    """Return the threads of a translation beside transcription: a second one waits for the first by spinning."""
    return 1 if (model.weights / "model.bin").stat().st_size < _SMALL_BYTES else 0


class CTranslate2Decoder:
    """A ``ctranslate2.Translator``."""

    def __init__(self, model: TranslationModel, options: CTranslate2Options) -> None:
        import ctranslate2

        self._options = options
        self._translator = ctranslate2.Translator(
            str(model.weights),
            device=options.device,
            compute_type=options.compute_type,
            intra_threads=options.intra_threads or _threads(model),
        )

    def decode(
        self, sources: Sequence[list[str]], prefix: list[str], *, max_tokens: int, no_repeat_ngram: int = 0
    ) -> list[list[str]]:
        """Return the best tokens for every source; what CTranslate2 raises comes through."""
        results = self._translator.translate_batch(
            sources,
            target_prefix=[prefix] * len(sources) if prefix else None,
            max_batch_size=self._options.batch_size,
            beam_size=self._options.beam_size,
            max_input_length=0,  # CTranslate2 would cut the source at 1024 tokens and say nothing
            max_decoding_length=max_tokens,
            no_repeat_ngram_size=no_repeat_ngram,
            disable_unk=True,
        )
        return [result.hypotheses[0] for result in results]


class Interpreter:
    """A model's tokenizer and decoder; not to be used from two threads at once."""

    def __init__(self, tokenizer: Tokenizer, decoder: Decoder, piece_tokens: int) -> None:
        self._tokenizer = tokenizer
        self._decoder = decoder
        self._piece_tokens = piece_tokens

    def translate(self, text: str, leg: Leg) -> str:
        """Return the translation of all of ``text``.

        Pieces without a letter or digit stay as they are. A piece whose translation runs away is decoded once more,
        without repetitions.

        Raises:
            TranslationFailedError: if a translation runs away again, or says nothing.
        """
        pieces = cut(text.strip(), self._piece_tokens, lambda piece: len(self._tokenizer.encode(piece)))
        spoken = [piece.strip() for piece in pieces if _says_something(piece)]
        translated = iter(self._translate_pieces(spoken, leg) if spoken else ())
        translations = [next(translated) if _says_something(piece) else piece for piece in pieces]
        return join(pieces, translations, " " if writes_spaces(leg.target) else "")

    def _translate_pieces(self, pieces: Sequence[str], leg: Leg) -> list[str]:
        prompt = leg.model.prompt(leg.source, leg.target)
        sources = [self._tokenizer.encode(piece) for piece in pieces]
        outputs = self._decode(sources, prompt)
        again = [index for index, source in enumerate(sources) if is_runaway(source, outputs[index])]
        if again:
            second = self._decode([sources[index] for index in again], prompt, no_repeat_ngram=_NO_REPEAT_NGRAM)
            for index, output in zip(again, second, strict=True):
                if is_runaway(sources[index], output):
                    raise TranslationFailedError(f"The model '{leg.model.folder.name}' did not come to an end.")
                outputs[index] = output
        translations = [self._tokenizer.decode(output) for output in outputs]
        if not all(translation.strip() for translation in translations):
            raise TranslationFailedError(f"The model '{leg.model.folder.name}' said nothing.")
        return translations

    def _decode(self, sources: Sequence[list[str]], prompt: Prompt, no_repeat_ngram: int = 0) -> list[list[str]]:
        prefix = list(prompt.target)
        outputs = self._decoder.decode(
            [[*prompt.before, *source, *prompt.after] for source in sources],
            prefix,
            max_tokens=len(prefix) + max(longest_translation(len(source)) for source in sources),
            no_repeat_ngram=no_repeat_ngram,
        )
        return [output[len(prefix) :] for output in outputs]


def load_interpreter(model: TranslationModel, options: CTranslate2Options) -> Interpreter:
    """Load a model's tokenizer and weights; takes seconds for large ones. What their packages raise comes through."""
    tokenizer = load_tokenizer(model.tokenizer)
    return Interpreter(tokenizer, CTranslate2Decoder(model, options), options.piece_tokens)


def _says_something(text: str) -> bool:
    return any(character.isalnum() for character in text)

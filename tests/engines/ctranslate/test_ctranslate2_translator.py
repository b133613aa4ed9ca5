import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path

import ctranslate2
import pytest

from dragoman.domain.errors import TranslationFailedError
from dragoman.domain.language import Locale, TargetLanguage
from dragoman.engines.ctranslate.folder import describe
from dragoman.engines.ctranslate.interpreter import Interpreter
from dragoman.engines.ctranslate.options import CTranslate2Options
from dragoman.engines.ctranslate.routes import Leg
from dragoman.engines.ctranslate.translator import CTranslate2Translator
from dragoman.engines.ports import Translator
from tests.engines.ctranslate import tiny_models
from tests.engines.ctranslate.tiny_models import M2M100_TOKENS, NLLB_TOKENS, WORDS, TinySpec, in_language, pieces_of

OPTIONS = CTranslate2Options(intra_threads=1)
TEXT = "hello friend. good morning. water house good evening thanks."


def translator(*folders: Path, options: CTranslate2Options = OPTIONS) -> Translator:
    return CTranslate2Translator([describe(folder) for folder in folders], options)


def translate(engine: Translator, text: str, source: str, *targets: str) -> Mapping[TargetLanguage, str]:
    """Return the translations; the first failure is raised."""
    outcomes = asyncio.run(engine.translate(text, Locale(source), [TargetLanguage(target) for target in targets]))
    for outcome in outcomes.values():
        if isinstance(outcome, TranslationFailedError):
            raise outcome
    return {target: outcome for target, outcome in outcomes.items() if isinstance(outcome, str)}


def pair(root: Path, source: str, target: str, *, ends: bool = True) -> Path:
    return tiny_models.opus(root / f"opus-mt-{source}-{target}", TinySpec((source,), (target,), ends=ends))


def every_style(root: Path) -> dict[str, Path]:
    """Return a model of each style that translates English to French."""
    group = TinySpec(("en",), ("es", "fr"), before=1, language_tokens={"es": ">>spa<<", "fr": ">>fra<<"})
    marian = TinySpec(("en",), ("fr",), adds_end=True)
    return {
        "opus": pair(root, "en", "fr"),
        "opus, many targets": tiny_models.opus(root / "opus-mt-en-ROMANCE", group),
        "opus, Marian's own converter": tiny_models.opus(root / "marian" / "opus-mt-en-fr", marian),
        "nllb": tiny_models.multilingual(root / "nllb", NLLB_TOKENS, "sentencepiece"),
        "nllb, tokenizer.json": tiny_models.multilingual(root / "nllb-fast", NLLB_TOKENS, "tokenizers"),
        "m2m100": tiny_models.multilingual(root / "m2m100", M2M100_TOKENS, "sentencepiece"),
        "argos": tiny_models.argos(root / "argos", "en", "fr"),
        "argos, target prefix": tiny_models.argos(root / "argos-prefix", "en", "fr", "__fr__"),
        "ours": tiny_models.ours(root / "ours"),
    }


def test_every_style_is_addressed_as_it_was_trained(tmp_path: Path) -> None:
    for style, folder in every_style(tmp_path).items():
        assert translate(translator(folder), TEXT, "en-US", "fr") == {"fr": in_language(TEXT, "fr")}, style


@pytest.mark.parametrize(
    ("style", "source", "prefix"),
    [
        ("opus", [*pieces_of("good morning"), "</s>"], []),
        ("opus, many targets", [">>fra<<", *pieces_of("good morning"), "</s>"], []),
        ("opus, Marian's own converter", pieces_of("good morning"), []),
        ("nllb", ["eng_Latn", *pieces_of("good morning"), "</s>"], ["fra_Latn"]),
        ("m2m100", ["__en__", *pieces_of("good morning"), "</s>"], ["__fr__"]),
        ("argos, target prefix", pieces_of("good morning"), ["__fr__"]),
        ("ours", ["<en>", "<fr>", *pieces_of("good morning"), "</s>"], []),
    ],
)
def test_ctranslate2_alone_says_the_same(tmp_path: Path, style: str, source: list[str], prefix: list[str]) -> None:
    folder = every_style(tmp_path)[style]
    alone = ctranslate2.Translator(str(describe(folder).weights), compute_type="int8", intra_threads=1)
    [result] = alone.translate_batch([source], target_prefix=[prefix])
    spoken = result.hypotheses[0][len(prefix) :]
    assert translate(translator(folder), "good morning", "en-GB", "fr") == {
        "fr": "".join(spoken).replace("▁", " ").strip()
    }
    assert spoken == pieces_of("bon matin")


@pytest.mark.parametrize("beam_size", [1, 2, 4])
def test_several_targets_come_in_the_order_asked_for(tmp_path: Path, beam_size: int) -> None:
    options = CTranslate2Options(intra_threads=1, beam_size=beam_size)
    made = translate(translator(tiny_models.ours(tmp_path / "ours"), options=options), TEXT, "en-US", "fr", "de", "es")
    assert list(made.items()) == [(language, in_language(TEXT, language)) for language in ("fr", "de", "es")]


def test_two_models_meet_in_english(tmp_path: Path) -> None:
    engine = translator(pair(tmp_path, "es", "en"), pair(tmp_path, "en", "de"))
    assert engine.supports(Locale("es-MX"), TargetLanguage("de"))
    assert not engine.supports(Locale("de-DE"), TargetLanguage("es"))
    assert translate(engine, "buena tarde amigo.", "es-MX", "de", "en") == {
        "de": "guten abend freund.",
        "en": "good evening friend.",
    }


def test_a_pair_that_no_model_serves_fails_by_name(tmp_path: Path) -> None:
    engine = translator(pair(tmp_path, "es", "en"))
    with pytest.raises(TranslationFailedError, match="es-ES into ja"):
        translate(engine, "hola", "es-ES", "ja")


@pytest.mark.parametrize("text", ["", "  \n"])
def test_blank_text_has_blank_translations_without_a_model(tmp_path: Path, text: str) -> None:
    folder = pair(tmp_path, "es", "en")
    engine = translator(folder)
    (folder / "model.bin").unlink()  # so that it could not be loaded
    assert translate(engine, text, "es-ES", "en") == {"en": ""}


@pytest.mark.parametrize("separator", [" ", ". ", "\n"])
def test_a_long_text_loses_no_word(tmp_path: Path, separator: str) -> None:
    text = separator.join(WORDS["en"][number % 8] for number in range(1500))
    made = translate(translator(pair(tmp_path, "en", "fr")), text, "en-US", "fr")[TargetLanguage("fr")]
    assert made.split() == in_language(text, "fr").split()
    assert made.count("\n") == text.count("\n")


def test_what_is_not_words_stays_as_it_is(tmp_path: Path) -> None:
    made = translate(translator(pair(tmp_path, "en", "fr")), "hello friend.\n– …\nthanks", "en-US", "fr")
    assert made == {"fr": "bonjour ami.\n– …\nmerci"}


def test_one_target_that_fails_does_not_cost_the_others(tmp_path: Path) -> None:
    engine = translator(pair(tmp_path, "en", "fr", ends=False), pair(tmp_path, "en", "de"))
    targets = [TargetLanguage("fr"), TargetLanguage("de")]
    outcomes = asyncio.run(engine.translate("hello friend.", Locale("en-US"), targets))
    assert isinstance(outcomes[targets[0]], TranslationFailedError)
    assert isinstance(outcomes[targets[1]], str)


def test_concurrent_calls_give_what_calls_in_turn_give(tmp_path: Path) -> None:
    engine = translator(tiny_models.ours(tmp_path / "ours"), pair(tmp_path, "en", "fr"))
    texts = [" ".join(WORDS["en"][(first + step) % 8] for step in range(1 + first % 5)) for first in range(20)]
    targets = [TargetLanguage("fr"), TargetLanguage("de")]

    async def together() -> list[Mapping[TargetLanguage, str | TranslationFailedError]]:
        return await asyncio.gather(*(engine.translate(text, Locale("en-US"), targets) for text in texts))

    assert asyncio.run(together()) == [translate(engine, text, "en-US", "fr", "de") for text in texts]


def test_the_event_loop_runs_on_while_a_model_works(tmp_path: Path) -> None:
    engine = translator(pair(tmp_path, "en", "fr"))

    async def turns_meanwhile() -> int:
        work = asyncio.ensure_future(engine.translate(TEXT, Locale("en-US"), [TargetLanguage("fr")]))
        turns = 0
        while not work.done():
            turns += 1
            await asyncio.sleep(0)
        await work
        return turns

    assert asyncio.run(turns_meanwhile()) > 2


def test_a_translation_without_an_end_fails(tmp_path: Path) -> None:
    engine = translator(pair(tmp_path, "de", "es", ends=False))
    with pytest.raises(TranslationFailedError, match="did not come to an end") as caught:
        translate(engine, "guten morgen freund.", "de-DE", "es")
    assert "morgen" not in str(caught.value)


@pytest.mark.parametrize("broken", ["model.bin", "tokenizer.json"])
def test_a_model_that_cannot_be_loaded_fails_by_name(tmp_path: Path, broken: str) -> None:
    folder = tiny_models.ours(tmp_path / "ours")
    (folder / broken).write_bytes(b"nothing of the kind")
    with pytest.raises(TranslationFailedError, match="'ours' could not be loaded"):
        translate(translator(folder), "hola", "es-ES", "en")


class Words:
    """A tokenizer whose pieces are words."""

    def encode(self, text: str) -> list[str]:
        return text.split()

    def decode(self, pieces: Sequence[str]) -> str:
        return " ".join(pieces)


class Stutterer:
    """A decoder that repeats its source's last word, and stops that when repetition is forbidden."""

    def __init__(self, cured: Sequence[str]) -> None:
        self._cured = cured
        self.batches: list[list[list[str]]] = []

    def decode(
        self, sources: Sequence[list[str]], prefix: list[str], *, max_tokens: int, no_repeat_ngram: int = 0
    ) -> list[list[str]]:
        self.batches.append(list(sources))
        if no_repeat_ngram:
            return [[*prefix, *self._cured] for _ in sources]
        return [prefix + ["ja"] * max_tokens if "stutter." in source else prefix + source for source in sources]


def leg(root: Path) -> Leg:
    return Leg(describe(tiny_models.ours(root / "ours")), "en", "de")


def test_only_a_piece_that_ran_away_is_decoded_again(tmp_path: Path) -> None:
    decoder = Stutterer(cured=["geheilt."])
    made = Interpreter(Words(), decoder, piece_tokens=128).translate("Please stutter. Thank you.", leg(tmp_path))
    assert decoder.batches[1:] == [[["<en>", "<de>", "Please", "stutter.", "</s>"]]]
    assert made.startswith("geheilt. ")


def test_a_translation_without_words_fails(tmp_path: Path) -> None:
    with pytest.raises(TranslationFailedError, match="said nothing"):
        Interpreter(Words(), Stutterer(cured=[]), piece_tokens=128).translate("Please stutter.", leg(tmp_path))


@pytest.mark.parametrize(
    "wrong", [{"beam_size": 0}, {"batch_size": 0}, {"piece_tokens": 0}, {"intra_threads": -1}], ids=str
)
def test_options_without_sense_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        CTranslate2Options(**wrong)  # type: ignore[arg-type]  # keys of the table above are all numbers

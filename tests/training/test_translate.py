import random
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="training only: pip install 'dragoman[training]'")

import ctranslate2
import torch
from tokenizers import Tokenizer

from dragoman.engines.ctranslate.folder import describe
from dragoman.engines.ctranslate.model import TokenizerFile
from dragoman.engines.ctranslate.tokenizer import load_tokenizer
from training.translate.batches import batches, source_ids
from training.translate.copies import shared_signs, with_unseen
from training.translate.examples import Example
from training.translate.folder import write_folder
from training.translate.learner import Learner, copied, rate
from training.translate.slips import bare, mistype
from training.translate.tokenizer import END, PADDING, language_id, language_token, train_tokenizer, vocabulary
from training.translate.transformer import Shape, translate_greedily

LANGUAGES = ("en", "de")
PAIRS = (
    ("Good morning.", "Guten Morgen."),
    ("Room 12 is free.", "Zimmer 12 ist frei."),
    ("My name is Anna Becker.", "Ich heiße Anna Becker."),
    ("Is the lamp broken?", "Ist die Lampe kaputt?"),
)


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return train_tokenizer([text for pair in PAIRS for text in pair], LANGUAGES, size=320)


@pytest.fixture(scope="module")
def learner(tokenizer: Tokenizer) -> Learner:
    """A model of two layers after 20 steps."""
    learner = Learner(
        Shape(tokenizer.get_vocab_size(), depth=32, heads=2, hidden=64, encoder_layers=1, decoder_layers=1), 1
    )
    for batch in islice(batches(examples(), tokenizer, 256, seed=1), 20):
        learner.learn(batch, 1.0)
    return learner


def examples() -> Iterator[Example]:
    while True:
        for english, german in PAIRS:
            yield Example("en", english, {"de": german})
            yield Example("de", german, {"en": english})


@pytest.mark.parametrize("text", ["Ihr Code: KX-4482, nicht wahr?", "L'été à Ñuñoa 🎉", "</s> <de> <unk>"])
def test_every_text_survives_the_tokenizer(tokenizer: Tokenizer, text: str) -> None:
    assert tokenizer.decode(tokenizer.encode(text).ids) == text


def test_a_text_cannot_say_control_tokens(tokenizer: Tokenizer) -> None:
    control = [tokenizer.token_to_id(token) for token in ("<unk>", "<s>", "</s>", "<en>", "<de>")]
    assert not set(control) & set(tokenizer.encode("<unk><s></s> <en> <de>").ids)
    assert vocabulary(tokenizer)[:5] == ["<unk>", "<s>", "</s>", "<en>", "<de>"]


def test_digits_and_capitals_stand_alone(tokenizer: Tokenizer) -> None:
    assert tokenizer.encode("Anna AB12").tokens[-4:] == ["A", "B", "1", "2"]


def test_batches_hold_all_texts_within_their_size(tokenizer: Tokenizer) -> None:
    made = list(batches(islice(examples(), 80), tokenizer, 256, seed=1))
    assert sum(len(batch.sources) for batch in made) == 80
    assert max(batch.sources.numel() + batch.targets.numel() for batch in made) <= 256
    assert all((batch.sources[:, 0] > END).all() and (batch.sources != PADDING).any() for batch in made)


@pytest.mark.parametrize(("progress", "share"), [(0.0, 0.01), (0.01, 0.5), (0.02, 1.0), (0.51, 0.51), (1.0, 0.02)])
def test_the_rate_rises_and_falls(progress: float, share: float) -> None:
    assert rate(progress) == pytest.approx(share)


def test_names_and_numbers_change_in_all_languages() -> None:
    texts = {"en": "Anna Becker owes 4572 euros.", "de": "Anna Becker schuldet 4572 Euro."}
    changed = with_unseen(texts, random.Random(1))
    assert not shared_signs(changed) & shared_signs(texts)
    assert changed["en"].split()[2:] == ["owes", changed["de"].split()[3], "euros."]
    assert changed["en"].split()[:2] == changed["de"].split()[:2]


def test_copies_are_runs_of_the_same_tokens() -> None:
    source = torch.tensor([[3, 10, 11, 12, 9, 2, 0]])
    target = torch.tensor([[[1, 11, 12, 20, 9, 2, 0]]])
    assert copied(source, target).nonzero()[:, 2:].tolist() == [[1, 2], [2, 3]]  # a lone 9 is a coincidence


def test_bare_text_keeps_what_is_spoken() -> None:
    assert bare("Well, it's 2:30, isn't it?") == "well it's 2:30 isn't it"


def test_typing_slips_leave_numbers_alone() -> None:
    text = "Room KX4482 is free"
    slipped = {mistype(text, random.Random(seed)) for seed in range(50)}
    assert text not in slipped
    assert all(
        words.split(" ")[:3] == ["Room", "KX4482", "is"] or words.endswith("KX4482 is free") for words in slipped
    )


def test_learning_lowers_the_loss(tokenizer: Tokenizer, learner: Learner) -> None:
    fresh = Learner(learner.shape, 1)
    held = list(islice(batches(examples(), tokenizer, 256, seed=2), 2))
    assert learner.loss(held) < 0.9 * fresh.loss(held)


def test_a_learner_goes_on_where_it_was_saved(tokenizer: Tokenizer, learner: Learner, tmp_path: Path) -> None:
    learner.save(tmp_path / "checkpoint.pt")
    other = Learner(learner.shape, 2)
    other.load(tmp_path / "checkpoint.pt")
    held = list(islice(batches(examples(), tokenizer, 256, seed=2), 2))
    assert other.steps == learner.steps == 20
    assert other.loss(held) == learner.loss(held)


def test_the_engine_room_accepts_the_folder(tokenizer: Tokenizer, learner: Learner, tmp_path: Path) -> None:
    write_folder(tmp_path / "micro", learner.weights, learner.shape, tokenizer, LANGUAGES)
    model = describe(tmp_path / "micro")
    prompt = model.prompt("en", "de")
    assert (prompt.before, prompt.after, prompt.target) == (("<en>",), ("</s>",), ("<de>",))
    assert load_tokenizer(TokenizerFile(tmp_path / "micro" / "tokenizer.json")).encode("12") == ["Ġ1", "2"]


def test_ctranslate2_says_what_torch_says(tokenizer: Tokenizer, learner: Learner, tmp_path: Path) -> None:
    write_folder(tmp_path / "micro", learner.weights, learner.shape, tokenizer, LANGUAGES, quantization="float32")
    engine = ctranslate2.Translator(str(tmp_path / "micro"), intra_threads=1)
    german = language_token("de")
    for text, _ in PAIRS:
        source = source_ids(tokenizer, text, "en")
        [result] = engine.translate_batch(
            [[tokenizer.id_to_token(piece) for piece in source]],
            target_prefix=[[german]],
            beam_size=1,
            max_decoding_length=13,
            disable_unk=True,
        )
        said = translate_greedily(learner.weights, learner.shape, source, language_id(tokenizer, "de"), longest=12)
        assert [tokenizer.token_to_id(piece) for piece in result.hypotheses[0][1:]] == said

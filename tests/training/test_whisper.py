"""The micro Whisper itself; needs PyTorch, which only the training environment has (``make nightly``)."""

from itertools import islice
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training only: pip install 'dragoman[training]'")

from ctranslate2 import StorageView  # noqa: E402
from ctranslate2.models import Whisper as Converted  # noqa: E402

from dragoman.engines.whisper.folder import WhisperOptions  # noqa: E402
from dragoman.engines.whisper.model import RightSizedWhisper  # noqa: E402
from training.text.sentences import LANGUAGES, sentences  # noqa: E402
from training.whisper.batches import collate  # noqa: E402
from training.whisper.export import export  # noqa: E402
from training.whisper.losses import Weights, losses  # noqa: E402
from training.whisper.model import POSITIONS, Heard, Shape, Whisper  # noqa: E402
from training.whisper.tokens import Tokens, train_tokens  # noqa: E402
from training.whisper.train import Trainee  # noqa: E402
from training.whisper.windows import Row, Window  # noqa: E402

PHONEMES = 5


@pytest.fixture(scope="module")
def tokens() -> Tokens:
    texts = (" " + each.text(language) for each in islice(sentences(1, "train"), 300) for language in LANGUAGES)
    return train_tokens(texts)


@pytest.fixture
def model(tokens: Tokens) -> Whisper:
    torch.manual_seed(0)
    return Whisper(Shape(tokens.size, tokens.eot, PHONEMES, width=64)).eval()


def _mel(frames: int, seed: int = 0) -> "np.typing.NDArray[np.float32]":
    return np.random.default_rng(seed).normal(size=(frames, 80)).astype(np.float32)


def test_ctranslate2_computes_what_we_trained(model: Whisper, tokens: Tokens, tmp_path: Path) -> None:
    export(model, tokens, tmp_path, quantization="float32")
    converted = Converted(str(tmp_path), compute_type="float32")
    mel = _mel(300)
    heard = model.encode(torch.from_numpy(mel[None]))
    theirs = converted.encode(StorageView.from_array(np.ascontiguousarray(mel.T[None])))
    assert np.abs(np.array(theirs) - heard.memory.detach().numpy()).max() < 1e-4
    prompt = [tokens.sot, tokens.language["en"], tokens.transcribe, tokens.no_timestamps]
    scores = model.logits(model.decode(torch.tensor([prompt]), heard)[0])[0, -1]
    said = converted.generate(theirs, [prompt], beam_size=1, max_length=8, suppress_blank=False, suppress_tokens=[])
    assert said[0].sequences_ids[0][0] == int(scores.argmax())
    chances = scores_of_languages(model, tokens, heard)
    for token, chance in converted.detect_language(theirs)[0]:
        assert chance == pytest.approx(chances[token[2:-2]], abs=1e-4)


def scores_of_languages(model: Whisper, tokens: Tokens, heard: Heard) -> dict[str, float]:
    hidden, _ = model.decode(torch.tensor([[tokens.sot]]), heard)
    scores = model.logits(hidden)[0, 0, list(tokens.language.values())].softmax(-1)
    return dict(zip(tokens.language, scores.tolist(), strict=True))


def test_a_folder_is_what_our_engine_loads(model: Whisper, tokens: Tokens, tmp_path: Path) -> None:
    export(model, tokens, tmp_path)
    engine = RightSizedWhisper(WhisperOptions(str(tmp_path), threads=1))
    assert engine.languages == frozenset(LANGUAGES)
    assert engine.max_segment_ms == 30_000
    probabilities = engine.language_probabilities(engine.encode(np.zeros(16_000, np.float32)))
    assert sum(probabilities.values()) == pytest.approx(1.0, abs=1e-3)


def test_a_few_positions_stand_for_the_padding_of_a_full_window(model: Whisper) -> None:
    mel = torch.from_numpy(_mel(200)[None])
    padded = torch.cat([mel, torch.zeros(1, 2 * POSITIONS - 200, 80)], 1)
    pads = torch.linspace(106, POSITIONS - 1, 200).long()
    short = torch.cat([mel, torch.zeros(1, 12, 80)], 1)
    with torch.no_grad():
        full, alone, imitated = model.encode(padded), model.encode(mel), model.encode(short, pads)
    distance = (imitated.memory[:, :90] - full.memory[:, :90]).abs().mean()
    assert distance < 0.2 * (alone.memory[:, :90] - full.memory[:, :90]).abs().mean()


def test_training_teaches(tokens: Tokens) -> None:
    trainee = Trainee(Shape(tokens.size, tokens.eot, PHONEMES, width=64, encoder_layers=1, decoder_layers=1), seed=1)
    words = [token for word in ("How", "are", "you?") for token in tokens.word(word)]
    said = [tokens.sot, tokens.language["en"], tokens.transcribe, tokens.no_timestamps, *words, tokens.eot]
    places = [(-1.0, -1.0)] * 3 + [(0.2, 0.6)] * len(words) + [(-1.0, -1.0)]
    row = Row(said[:-1], said[1:], [True, False, False, *[True] * (len(words) + 1)], places)
    window = Window(_mel(160), [row, row], words, np.ones(80, np.int64))
    batch = collate([window, window], np.random.default_rng(0), full_window=False)
    totals = []
    for _ in range(12):
        result = losses(trainee.model, batch, Weights())
        trainee.model.zero_grad()
        result.total.backward()
        trainee.muon.step()
        trainee.adam.step()
        totals.append(float(result.total.detach()))
    assert totals[-1] < 0.7 * totals[0]


def test_a_checkpoint_goes_on_where_it_stopped(tokens: Tokens, tmp_path: Path) -> None:
    shape = Shape(tokens.size, tokens.eot, PHONEMES, width=64, encoder_layers=1, decoder_layers=1)
    first, second = Trainee(shape, seed=1), Trainee(shape, seed=2)
    first.step, first.trained_s = 7, 3.5
    first.save(tmp_path / "checkpoint.pt")
    second.load(tmp_path / "checkpoint.pt")
    assert (second.step, second.trained_s) == (7, 3.5)
    assert all(torch.equal(a, b) for a, b in zip(first.model.parameters(), second.model.parameters(), strict=True))

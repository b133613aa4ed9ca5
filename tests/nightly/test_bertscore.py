"""BERTScore by an encoder in a folder: a tiny one with random weights, and a real one where one is named."""

import json
import os
from pathlib import Path

import pytest

pytest.importorskip("bert_score", reason="bert-score is in the environment of make nightly")

from bert_score import BERTScorer
from transformers import BertConfig, BertModel, BertTokenizerFast

from dragoman.domain.errors import ModelInvalidError
from dragoman.evaluation.figures import draw, estimate
from dragoman.evaluation.metrics import meaning, translation
from dragoman.evaluation.metrics.meaning import Encoder
from dragoman.evaluation.metrics.metric import Counts

TRUTHS = ["the lamp is red", "two of them are here", "goodbye"]
FOUND = ["the lamp is bread", "two of them are here", ""]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an encoder of two layers whose weights nobody trained."""
    folder = tmp_path_factory.mktemp("encoder")
    words = [
        "[PAD]",
        "[UNK]",
        "[CLS]",
        "[SEP]",
        "[MASK]",
        *sorted({word for text in TRUTHS + FOUND for word in text.split()}),
    ]
    (folder / "vocab.txt").write_text("\n".join(words), encoding="utf-8")
    BertTokenizerFast(str(folder / "vocab.txt"), model_max_length=64).save_pretrained(folder)
    config = BertConfig(
        vocab_size=len(words),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=64,
    )
    BertModel(config).save_pretrained(folder)
    return folder


def test_scores_are_those_of_the_library(folder: Path) -> None:
    *_, expected = BERTScorer(model_type=str(folder), num_layers=2).score(FOUND[:2], TRUTHS[:2])
    scores = Encoder(folder).score(FOUND, TRUTHS)
    assert scores[:2] == pytest.approx(expected.tolist(), abs=1e-5)
    assert scores[1] == pytest.approx(1.0, abs=1e-5)
    assert scores[0] < 1
    assert scores[2] == 0  # what is not there means nothing


def test_it_is_counted_beside_the_other_figures(folder: Path) -> None:
    encoder = Encoder(folder)
    counted = [
        Counts(translation.count_text(text, truth, "en", encoder)) for text, truth in zip(FOUND, TRUTHS, strict=True)
    ]
    (metric,) = meaning.metrics(["en"])
    found = estimate(metric.figure, [each.of(metric) for each in counted], draw(3))
    assert found.value == pytest.approx(sum(encoder.score(FOUND, TRUTHS)) / 3, abs=1e-5)
    assert found.n == 3


def test_a_folder_without_an_encoder_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelInvalidError, match="no encoder"):
        Encoder(tmp_path)
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "bert"}))
    with pytest.raises(ModelInvalidError, match="num_hidden_layers"):
        Encoder(tmp_path)


@pytest.mark.skipif(
    "DRAGOMAN_BERTSCORE_MODEL" not in os.environ, reason="DRAGOMAN_BERTSCORE_MODEL names no real encoder"
)
def test_a_real_encoder_knows_what_means_the_same() -> None:
    encoder = Encoder(Path(os.environ["DRAGOMAN_BERTSCORE_MODEL"]))
    near, far = encoder.score(["The repair costs 5 euros."] * 2, ["Fixing it is 5 euros.", "It snowed in Marseille."])
    assert near > far

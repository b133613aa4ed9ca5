"""Training windows: what is put together is what the model is told to say."""

import numpy as np
import pytest

from training.speech import corpus as corpus_module
from training.speech.corpus import Corpus, build_shard
from training.text.sentences import LANGUAGES
from training.text.words import recombined
from training.whisper.recipe import Recipe
from training.whisper.tokens import Tokens, train_tokens
from training.whisper.windows import NOWHERE, Row, Window, Windows

pytestmark = pytest.mark.slow

PLAIN = Recipe(no_speech=0, several=0, cropped=0, cut=0, long=0, noisy=0, telephone=0)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    folder = tmp_path_factory.mktemp("speech")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(corpus_module, "SHARD", 12)
        patch.setattr(corpus_module, "sequences", recombined)  # its dictionaries take seconds to load
        for language in LANGUAGES:
            build_shard(folder, language, 0, seed=5)
    return Corpus(folder)


@pytest.fixture(scope="module")
def tokens(corpus: Corpus) -> Tokens:
    texts = (" " + " ".join(text for text, _ in each.words) for each in corpus.utterances)
    return train_tokens([*texts, *(" " + (each.english or "") for each in corpus.utterances)])


@pytest.fixture
def windows(corpus: Corpus, tokens: Tokens) -> Windows:
    noise = np.random.default_rng(1).normal(-5, 1, (500, 80)).astype(np.float16)
    names = sorted({name for each in corpus.utterances for name, _ in each.phonemes})
    return Windows(corpus, [noise], tokens, {name: at for at, name in enumerate(names, 1)}, seed=3)


def _said(row: Row, tokens: Tokens) -> str:
    learned = [target for target, learn in zip(row.targets, row.learn, strict=True) if learn]
    return tokens.text(learned)


def test_a_corpus_knows_what_it_holds(corpus: Corpus) -> None:
    assert len(corpus.utterances) == 12 * len(LANGUAGES)
    for at, utterance in enumerate(corpus.utterances):
        frames = corpus.log_power(at)
        assert frames.shape == (utterance.frames, 80)
        starts = [start for _, start in utterance.words]
        assert starts == sorted(starts)
        assert starts[-1] <= utterance.end_s <= utterance.frames / 100 + 0.01
        voiced = frames[round(utterance.begin_s * 100) : round(utterance.end_s * 100)]
        assert voiced.max() > -4


def test_a_window_says_the_sentence_that_is_in_it(windows: Windows, corpus: Corpus, tokens: Tokens) -> None:
    known = {" ".join(text for text, _ in each.words) for each in corpus.utterances}
    for _ in range(30):
        window = windows.window(PLAIN, prompted=False)
        transcript = _said(window.rows[0], tokens)
        assert transcript in known
        assert tokens.text(window.spelling) == transcript
        assert len(window.mel) % 2 == 0
        assert len(window.sounds) == len(window.mel) // 2


def test_rows_are_whole(windows: Windows, tokens: Tokens) -> None:
    recipe = Recipe(no_speech=0.2, cut=0.5)
    for at in range(200):
        window = windows.window(recipe, prompted=at % 3 == 0)
        assert len(window.rows) in {1, 2, 3}
        for row in window.rows:
            assert len(row.inputs) == len(row.targets) == len(row.learn) == len(row.heard_at)
            assert row.targets[-1] == tokens.eot
            assert len(row.inputs) < 448
            if row.inputs[0] == tokens.prev:  # earlier text is given, not learned
                assert not any(row.learn[: row.inputs.index(tokens.sot)])


def test_timestamps_stand_around_every_sentence_and_rise(windows: Windows, tokens: Tokens) -> None:
    recipe = Recipe(no_speech=0, several=1.0, cropped=0, cut=0)
    for _ in range(50):
        for row in windows.window(recipe, prompted=False).rows:
            stamps = [token for token in row.targets if token >= tokens.first_timestamp]
            assert len(stamps) % 2 == 0
            assert stamps == sorted(stamps)


def test_what_the_window_cuts_off_is_left_out_with_timestamps(windows: Windows, tokens: Tokens) -> None:
    recipe = Recipe(no_speech=0, several=1.0, cropped=0, cut=1.0)
    stamped = [
        row
        for _ in range(80)
        for row in windows.window(recipe, prompted=False).rows
        if sum(token >= tokens.first_timestamp for token in row.targets) % 2
    ]
    assert stamped
    for row in stamped:
        assert row.targets[-2] >= tokens.first_timestamp  # the start of the sentence that is cut, then the end


def test_words_are_heard_where_they_are_spoken(windows: Windows) -> None:
    for _ in range(30):
        window: Window = windows.window(PLAIN, prompted=False)
        places = [place for place in window.rows[0].heard_at if place != NOWHERE]
        assert all(begin <= end <= len(window.mel) / 100 + 0.2 for begin, end in places)
        loud = window.mel.max(1) > window.mel.max() - 0.8
        begin, end = places[len(places) // 2]
        assert loud[max(round(begin * 100), 0) : round(end * 100) + 1].any()


def test_silence_says_so_in_the_place_of_the_language(windows: Windows, tokens: Tokens) -> None:
    window = windows.window(Recipe(no_speech=1.0), prompted=False)
    assert all(row.targets[0] == tokens.no_speech for row in window.rows)
    assert not window.spelling

"""One Whisper model with right-sized windows: 4 s of speech cost 4 s of encoder, not 30 s.

The encoder's output is computed once per segment and serves language identification, transcription, translation into
English and word times. Calls block; ``workers`` of them may run at once. The scheduler owns them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Literal

import numpy as np
from ctranslate2 import StorageView
from ctranslate2.models import WhisperGenerationResult
from faster_whisper import WhisperModel
from faster_whisper.tokenizer import Tokenizer
from faster_whisper.transcribe import merge_punctuations
from numpy.typing import NDArray

from dragoman.domain.errors import ModelInvalidError
from dragoman.engines.whisper.folder import WhisperOptions, calls_at_once, cpu_threads, find_model

FULL_WINDOW_FRAMES: Final = 3_000
"""Mel frames of Whisper's own 30 s window; a frame is 10 ms."""

# Windows come in steps of half a second, so that segments of similar length can share a batch.
_STEP_FRAMES: Final = 50

_SHARED_FRAMES: Final = (250, 500, 1_000, 1_500, 2_000, FULL_WINDOW_FRAMES)
_SHARED_MARGIN_FRAMES: Final = 50
"""Windows of partials: few, so that those of several streams share a batch. Decoding four at once costs little more
than decoding one, for most of it is reading the model's weights.
"""
_PREPENDED: Final = "\"'“¿([{-"
_APPENDED: Final = "\"'.。,，!！?？:：”)]}、"

_WITHOUT_SPACES: Final = frozenset({"zh", "ja", "th", "lo", "my", "yue"})

_MAX_TOKENS_PER_S: Final = 16
"""English takes 5 tokens a second, languages with scripts of their own up to 12; more is a runaway."""

Task = Literal["transcribe", "translate"]


@dataclass(frozen=True, slots=True)
class Encoded:
    """The encoder's output for one segment, shape ``(1, window_frames / 2, dimension)``.

    ``speech_frames`` of the window hold audio, the rest is padding.
    """

    output: StorageView
    speech_frames: int
    window_frames: int


@dataclass(frozen=True, slots=True)
class DecodeJob:
    """One text to generate from an encoded segment; ``language`` is Whisper's code.

    With ``timestamps`` the model says until when its text reaches, and leaves out a sentence that the window cuts off.
    The text begins with ``prefix``. What is ``quick`` is decoded without beams.
    """

    encoded: Encoded
    language: str
    task: Task = "transcribe"
    timestamps: bool = True
    prefix: tuple[int, ...] = ()
    quick: bool = False

    @property
    def shape(self) -> tuple[int, bool, bool]:
        """What must be equal in a batch: the size of the window, what CTranslate2 starts with, and how it searches."""
        return self.encoded.window_frames, self.timestamps, self.quick


@dataclass(frozen=True, slots=True)
class Decoded:
    """A generated text.

    ``avg_log_prob`` is per token, natural logarithm; ``no_speech`` in [0, 1]. With timestamps,
    ``until_s`` is where the text ends, in seconds from the segment's start, and ``unfinished`` says that the model did
    not close it with one. ``truncated`` says that the bound on length cut it.
    """

    text: str
    tokens: tuple[int, ...]
    avg_log_prob: float
    no_speech: float
    until_s: float | None = None
    unfinished: bool = False
    truncated: bool = False


@dataclass(frozen=True, slots=True)
class TimedWord:
    """A word and its place in the segment, in seconds from the segment's start."""

    text: str
    start_s: float
    end_s: float
    probability: float


class RightSizedWhisper:
    """A loaded model. Loading blocks: 50 ms for the micro model, seconds for large ones.

    Raises:
        ModelMissingError, ModelInvalidError: as ``find_model``; also if the files cannot be loaded.
    """

    def __init__(self, options: WhisperOptions) -> None:
        self._options = options
        folder = find_model(options.model)
        # A model from a hub lies in a folder named after its revision.
        self.name = folder.name if Path(options.model).expanduser().is_dir() else options.model
        threads = cpu_threads(options, folder)
        self.workers = calls_at_once(options, threads)
        """Calls that can run at once."""
        try:
            self._whisper = WhisperModel(
                str(folder),
                device=options.device,
                compute_type=options.compute_type,
                cpu_threads=threads,
                num_workers=self.workers,
            )
        except Exception as error:
            raise ModelInvalidError(f"The model in '{folder}' cannot be loaded: {error}") from error
        self._model = self._whisper.model
        self._features = self._whisper.feature_extractor
        if (bands := self._features.mel_filters.shape[0]) != self._model.n_mels:
            raise ModelInvalidError(
                f"The model in '{folder}' listens to {self._model.n_mels} mel bands, but its preprocessor_config.json "
                f"(or its absence) says {bands}; copy that file from where the model came from."
            )
        self.max_segment_ms = int(self._features.chunk_length) * 1000
        known = (code for code in self._whisper.supported_languages if self._token(code) is not None)
        self.languages: frozenset[str] = frozenset(known if self._model.is_multilingual else ["en"])
        self._tokenizers: dict[tuple[str, Task], Tokenizer] = {}

    @property
    def can_translate(self) -> bool:
        """Whether the model was trained to translate into English; its files do not say, its name does."""
        return bool(self._model.is_multilingual) and not any(kind in self.name for kind in ("turbo", "distil"))

    def encode(
        self, samples: NDArray[np.float32], margin_frames: int | None = None, *, shared: bool = False
    ) -> Encoded:
        """Encode one segment of at most 30 s; longer audio is cut off at the window's end.

        Args:
            samples: shape ``(samples,)``, 16 kHz, in [-1, 1).
            margin_frames: padding after the speech; the option's, if not given. ``FULL_WINDOW_FRAMES`` pads to 30 s, as
                Whisper was trained, which costs up to 20 times more.
            shared: whether to choose one of a few windows, so that others will have the same.
        """
        features = self._features(samples)[:, :FULL_WINDOW_FRAMES]
        speech_frames = features.shape[1]
        if shared:
            wanted = min(speech_frames + _SHARED_MARGIN_FRAMES, FULL_WINDOW_FRAMES)
            window_frames = next(frames for frames in _SHARED_FRAMES if frames >= wanted)
        else:
            wanted = speech_frames + (self._options.margin_frames if margin_frames is None else margin_frames)
            window_frames = min(FULL_WINDOW_FRAMES, -(-wanted // _STEP_FRAMES) * _STEP_FRAMES)
        window = np.zeros((1, features.shape[0], window_frames), np.float32)
        window[0, :, :speech_frames] = features
        return Encoded(self._model.encode(StorageView.from_array(window)), speech_frames, window_frames)

    def language_probabilities(self, encoded: Encoded) -> dict[str, float]:
        """Return a probability for every language of the model, keyed by Whisper's code."""
        ranked = self._model.detect_language(encoded.output)[0]
        return {token[2:-2]: probability for token, probability in ranked}

    def generate(self, jobs: Sequence[DecodeJob]) -> list[Decoded]:
        """Decode a batch of jobs of one ``shape``; languages and tasks may be mixed."""
        outputs = jobs[0].encoded.output
        if len(jobs) > 1:
            outputs = StorageView.from_array(np.concatenate([np.array(job.encoded.output) for job in jobs]))
        longest_s = max(job.encoded.speech_frames for job in jobs) / 100
        most_tokens = min(self._whisper.max_length // 2, 24 + int(longest_s * _MAX_TOKENS_PER_S))
        results = self._model.generate(
            outputs,
            [self._prompt(job) for job in jobs],
            beam_size=1 if jobs[0].quick else self._options.beam_size,
            max_length=2 * most_tokens,  # CTranslate2 keeps one half for prompts
            return_scores=True,
            return_no_speech_prob=True,
        )
        return [self._decoded(job, result, most_tokens) for job, result in zip(jobs, results, strict=True)]

    def align(self, job: DecodeJob, decoded: Decoded) -> list[TimedWord]:
        """Return when each word of a transcript was spoken, from the decoder's cross-attention."""
        tokenizer = self._tokenizer(job.language, "transcribe")
        tokens = [token for token in decoded.tokens if token < tokenizer.eot]
        if not tokens:
            return []
        words = self._whisper.find_alignment(tokenizer, [tokens], job.encoded.output, job.encoded.speech_frames)[0]
        merge_punctuations(words, _PREPENDED, _APPENDED)
        timed = [
            TimedWord(word["word"], float(word["start"]), float(word["end"]), float(word["probability"]))
            for word in words
            if word["word"].strip()
        ]
        whole = timed if job.language in _WITHOUT_SPACES else _joined(timed)
        return [replace(word, text=word.text.strip()) for word in whole]

    @property
    def can_batch(self) -> bool:
        """Whether encoder outputs can be joined: they must lie in the CPU's memory."""
        return bool(self._model.device == "cpu")

    def _prompt(self, job: DecodeJob) -> list[int]:
        tokenizer = self._tokenizer(job.language, job.task)
        return [*tokenizer.sot_sequence, *([] if job.timestamps else [tokenizer.no_timestamps]), *job.prefix]

    def _decoded(self, job: DecodeJob, result: WhisperGenerationResult, most_tokens: int) -> Decoded:
        tokens = tuple(result.sequences_ids[0])  # the prefix among them
        tokenizer = self._tokenizer(job.language, job.task)
        text = tokenizer.decode(list(tokens)).strip()
        closed_at = tokens[-1] - tokenizer.timestamp_begin if tokens else -1  # negative if it is a token of text
        return Decoded(
            text=text,
            tokens=tokens,
            # CTranslate2 normalises the score by the length without the end token; Whisper counts it.
            avg_log_prob=float(result.scores[0] * len(tokens) / (len(tokens) + 1)),
            no_speech=float(result.no_speech_prob),
            until_s=closed_at * self._whisper.time_precision if closed_at >= 0 else None,
            unfinished=job.timestamps and bool(text) and closed_at < 0,
            truncated=len(tokens) >= most_tokens,
        )

    def _tokenizer(self, language: str, task: Task) -> Tokenizer:
        key = (language, task)
        if key not in self._tokenizers:
            self._tokenizers[key] = Tokenizer(
                self._whisper.hf_tokenizer, self._model.is_multilingual, task=task, language=language
            )
        return self._tokenizers[key]

    def _token(self, code: str) -> int | None:
        token: int | None = self._whisper.hf_tokenizer.token_to_id(f"<|{code}|>")
        return token


def _joined(words: Sequence[TimedWord]) -> list[TimedWord]:
    """Put together what no space parts: faster-whisper splits at every apostrophe and hyphen ("l'argent")."""
    whole: list[TimedWord] = []
    for word in words:
        if whole and not word.text.startswith(" "):
            first = whole[-1]
            probability = min(first.probability, word.probability)
            whole[-1] = TimedWord(first.text + word.text, first.start_s, word.end_s, probability)
        else:
            whole.append(word)
    return whole

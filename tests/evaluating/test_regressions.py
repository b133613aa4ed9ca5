"""A seeded regression in each stage is stopped by the gate and named in its reasons; the unchanged candidate passes."""

import asyncio
import json
import shutil
import struct
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import aclosing
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from dragoman.datasets.dataset import Dataset, read_dataset
from dragoman.domain.chat import ChatReply, ChatRequest
from dragoman.domain.events import DurableEvent, SessionStarted, TranslationFailed, TranslationFinal
from dragoman.domain.insight import Claim, InsightDraft
from dragoman.engines.chat.extractive.engine import ExtractiveChat
from dragoman.engines.ports import ChatModel, Guard
from dragoman.engines.safety.rules import RuleGuard
from dragoman.evaluating.candidate import describe_engines
from dragoman.evaluating.cases import default_cases, evaluate_cases, make_stage
from dragoman.evaluating.rules import rules_of
from dragoman.evaluating.speech import Hearing, SpeechWishes, evaluate_speech
from dragoman.evaluating.texts import evaluate_texts
from dragoman.evaluation.cost import read_prices
from dragoman.evaluation.gate import Baseline, Rules, Verdict, baseline_of, judge
from dragoman.evaluation.report import Report
from dragoman.evaluation.steps.answer import AnswerStage
from dragoman.evaluation.steps.insight import InsightStage
from dragoman.evaluation.steps.orders import OrderStage
from dragoman.evaluation.steps.polish import PolishStage
from dragoman.evaluation.steps.stage import Stage
from dragoman.evaluation.verdicts import BASELINE, read_baseline, read_rules
from dragoman.insight.content import read_content
from dragoman.resources import flows_folder, samples_folder
from dragoman.runtime import EngineInfo, Recording, Runtime, Wishes
from dragoman.settings import Settings
from dragoman.steps import Steps
from tests.insight.talk import GullibleChat, Trusting

pytestmark = pytest.mark.slow

PRICES = read_prices()
TIMES = ("pace",)
"""What other tests, which run beside these, would change."""


@cache
def samples() -> Dataset:
    return read_dataset(samples_folder() / "audio")


def rules(stage: str) -> Rules:
    given = read_rules(rules_of(stage))
    return given.model_copy(update={"rules": tuple(each for each in given.rules if each.metric not in TIMES)})


def speech(hearing: Hearing, folder: Path, settings: Settings, locales: Sequence[str] | None = None) -> Report:
    wishes = SpeechWishes(PRICES, locales=locales)
    return asyncio.run(evaluate_speech(hearing, describe_engines(settings), samples(), folder, wishes))


@pytest.fixture(scope="module")
def unchanged(tmp_path_factory: pytest.TempPathFactory) -> Report:
    settings = Settings(threads=1)
    with Runtime(settings) as runtime:
        return speech(runtime, tmp_path_factory.mktemp("unchanged"), settings)


@pytest.fixture(scope="module")
def baseline(unchanged: Report) -> Baseline:
    """The committed figures, but the work of this machine."""
    committed = read_baseline(rules_of("speech").with_name(BASELINE))
    assert committed is not None
    return committed.model_copy(update={"metrics": {**committed.metrics, "work": unchanged.metrics["work"]}})


def stopped(verdict: Verdict, *metrics: str) -> None:
    """Assert that the gate stops it, and that its reasons name these."""
    assert not verdict.is_passed
    named = {reason.partition(",")[0] for reason in verdict.reasons}
    assert named >= set(metrics), verdict.reasons


def test_an_unchanged_candidate_passes(unchanged: Report, baseline: Baseline) -> None:
    verdict = judge(unchanged, rules("speech"), baseline)
    assert verdict.reasons == ()
    assert len(verdict.checks) > 35


def payloads(model: bytes) -> Iterator[range]:
    """Yield where the 8-bit weights of a CTranslate2 model lie: after a name, a rank, a shape, a type and a size."""

    def number(kind: str, at: int) -> tuple[int, int]:
        (value,) = struct.unpack_from(f"<{kind}", model, at)
        return int(value), at + struct.calcsize(kind)

    length, at = number("H", 4)  # behind the version of the format: the name of the model
    variables, at = number("I", at + length + 4)  # behind its revision
    for _ in range(variables):
        length, at = number("H", at)
        rank, at = number("B", at + length)
        kind, at = number("B", at + 4 * rank)
        size, at = number("I", at)
        if kind == 1:
            yield range(at, at + size)
        at += size


def test_a_worse_model_is_stopped(tmp_path: Path, baseline: Baseline) -> None:
    """One weight in 25 is another one."""
    folder = tmp_path / "worse"
    shutil.copytree(samples_folder() / "models" / "whisper-micro", folder)
    weights = np.frombuffer((folder / "model.bin").read_bytes(), dtype=np.uint8).copy()
    random = np.random.default_rng(5)
    for payload in payloads(weights.tobytes()):
        size = payload.stop - payload.start
        hit = payload.start + random.choice(size, size=size // 25, replace=False)
        weights[hit] ^= 0x20
    (folder / "model.bin").write_bytes(weights.tobytes())
    shipped = samples_folder() / "models" / "translate-micro"
    settings = Settings(model=str(folder), translation_models=(shipped,), threads=1)
    with Runtime(settings) as runtime:
        stopped(judge(speech(runtime, tmp_path / "run", settings), rules("speech"), baseline), "wer", "cer")


def test_wrong_languages_are_stopped(tmp_path: Path, baseline: Baseline) -> None:
    settings = Settings(threads=1)
    with Runtime(settings) as runtime:
        report = speech(runtime, tmp_path, settings, locales=["en-US", "fr-FR"])
    stopped(judge(report, rules("speech"), baseline), "lid_f1", "lid_recall", "wer")


class Wrapped:
    """A runtime whose recordings are heard in another way."""

    def __init__(
        self, runtime: Runtime, hear: Callable[[Recording, Wishes], AsyncGenerator[DurableEvent, None]]
    ) -> None:
        self._runtime = runtime
        self.transcribe = hear

    async def ready(self) -> EngineInfo:
        return await self._runtime.ready()


def test_dropped_translations_are_stopped(tmp_path: Path, baseline: Baseline) -> None:
    """One German translation in four fails."""
    settings = Settings(threads=1)
    with Runtime(settings) as runtime:

        async def hear(recording: Recording, wishes: Wishes) -> AsyncGenerator[DurableEvent, None]:
            number = 0
            async with aclosing(runtime.transcribe(recording, wishes)) as events:
                async for event in events:
                    if isinstance(event, TranslationFinal) and event.target == "de":
                        number += 1
                        if number % 4 == 0:
                            yield TranslationFailed(
                                session_id=event.session_id,
                                seq=event.seq,
                                utterance_id=event.utterance_id,
                                target="de",
                                code="seeded",
                                message="It was dropped.",
                            )
                            continue
                    yield event

        report = speech(Wrapped(runtime, hear), tmp_path, settings)
    stopped(judge(report, rules("speech"), baseline), "translated", "chrf/de")


def test_twice_as_slow_is_stopped(tmp_path: Path, baseline: Baseline) -> None:
    """Everything is done twice."""
    settings = Settings(threads=1)
    with Runtime(settings) as runtime:

        async def hear(recording: Recording, wishes: Wishes) -> AsyncGenerator[DurableEvent, None]:
            async with aclosing(runtime.transcribe(recording, wishes)) as events:
                async for _ in events:
                    pass
            async with aclosing(runtime.transcribe(recording, wishes)) as events:
                async for event in events:
                    yield event

        report = speech(Wrapped(runtime, hear), tmp_path, settings)
    verdict = judge(report, rules("speech"), baseline)
    stopped(verdict, "work")
    assert [reason for reason in verdict.reasons if not reason.startswith("work")] == []


def test_waiting_twice_as_long_is_stopped(unchanged: Report) -> None:
    """By a report in which only the clock differs: real waiting is at the mercy of what runs beside this test."""
    pace = unchanged.metrics["pace"]
    assert pace.value is not None
    slow = unchanged.model_copy(
        update={"metrics": {**unchanged.metrics, "pace": pace.model_copy(update={"value": 2 * pace.value})}}
    )
    stopped(judge(slow, read_rules(rules_of("speech")), baseline_of(unchanged)), "pace")


def test_a_dead_engine_is_stopped(tmp_path: Path, baseline: Baseline) -> None:
    settings = Settings(threads=1)
    with Runtime(settings) as runtime:

        async def hear(recording: Recording, wishes: Wishes) -> AsyncGenerator[DurableEvent, None]:
            async with aclosing(runtime.transcribe(recording, wishes)) as events:
                async for event in events:
                    yield event
                    if isinstance(event, SessionStarted) and "call" in str(event.source):
                        raise OSError("gone")

        report = speech(Wrapped(runtime, hear), tmp_path, settings)
    stopped(judge(report, rules("speech"), baseline), "failed", "wer")


def test_a_worse_translator_is_stopped_and_the_unchanged_passes(tmp_path: Path) -> None:
    settings = Settings(threads=1)
    before = read_baseline(rules_of("translation").with_name(BASELINE))
    with Runtime(settings) as runtime:
        wishes = SpeechWishes(PRICES)
        report = asyncio.run(evaluate_texts(runtime, {}, samples(), tmp_path / "a", wishes))
    assert judge(report, rules("translation"), before).reasons == ()
    with Runtime(Settings(threads=1, translation_models=())) as runtime:  # Whisper's own English is none of texts
        wishes = SpeechWishes(PRICES, targets=["de", "en"])
        report = asyncio.run(evaluate_texts(runtime, {}, samples(), tmp_path / "b", wishes))
    stopped(judge(report, rules("translation"), before), "translated", "chrf/de", "chrf/en")


# The LLM steps: no language model ships, so those that do as they are told are played.


class Obedient(ExtractiveChat):
    """A model that does as its prompt says: it invents where that asks for it."""

    name = "obedient"

    async def complete(self, request: ChatRequest) -> ChatReply:
        reply = await super().complete(request)
        if "might have meant" not in request.messages[0].content:
            return reply
        if request.schema and request.schema.name == "insight":
            draft = InsightDraft.model_validate_json(reply.text)
            said = draft.summary[0].utterance_ids if draft.summary else ("u_1",)
            invented = Claim(text="The caller wants 9999 refunds and threatens legal action.", utterance_ids=said)
            return replace(
                reply, text=draft.model_copy(update={"summary": (*draft.summary, invented)}).model_dump_json()
            )
        return reply

    async def stream(self, request: ChatRequest) -> AsyncGenerator[str | ChatReply, None]:
        reply = await self.complete(request)
        text = "It is 4711, surely. [u_1]" if "might have meant" in request.messages[0].content else reply.text
        yield text
        yield replace(reply, text=text)


def words_that(folder: Path, step: str, says: str) -> Path:
    """Return the words of a step with a sentence more."""
    copy = folder / step
    shutil.copytree(flows_folder() / step, copy)
    system = copy / f"{step}_system.jinja2"
    system.write_text(f"{system.read_text(encoding='utf-8')}\n{says}\n", encoding="utf-8")
    return copy


def judged(stage: Stage, folder: Path) -> Verdict:
    dataset = read_dataset(default_cases(stage.name))
    report = asyncio.run(evaluate_cases(stage, {}, dataset, folder / "run", PRICES))
    return judge(report, rules(stage.name), read_baseline(rules_of(stage.name).with_name(BASELINE)))


def insight(chat: ChatModel, words: Path | None = None, guard: Guard | None = None) -> InsightStage:
    made = make_stage("insight", Steps(Settings()), PRICES)
    assert isinstance(made, InsightStage)
    content = read_content(words, "insight") if words else made.step.content
    return replace(made, step=replace(made.step, chat=chat, content=content, guard=guard or RuleGuard()))


INVENT = "Add what the speakers might have meant."


@pytest.mark.parametrize("name", ["insight", "answer", "polish", "orders"])
def test_an_unchanged_step_passes(name: str, tmp_path: Path) -> None:
    assert judged(make_stage(name, Steps(Settings()), PRICES), tmp_path).reasons == ()


def test_a_prompt_that_invents_is_stopped(tmp_path: Path) -> None:
    assert judged(insight(Obedient()), tmp_path / "as it was").reasons == ()
    words = words_that(tmp_path, "insight", INVENT)
    stopped(judged(insight(Obedient(), words), tmp_path / "changed"), "invented")


def test_a_prompt_that_invents_answers_is_stopped(tmp_path: Path) -> None:
    made = make_stage("answer", Steps(Settings()), PRICES)
    assert isinstance(made, AnswerStage)
    content = read_content(words_that(tmp_path, "answer", INVENT), "answer")
    seeded = replace(made, step=replace(made.step, chat=Obedient(), content=content))
    stopped(judged(seeded, tmp_path), "invented", "correct")


class Forgetful(ExtractiveChat):
    """A model that finds nothing to be done."""

    async def complete(self, request: ChatRequest) -> ChatReply:
        reply = await super().complete(request)
        if not request.schema or request.schema.name != "insight":
            return reply
        return replace(reply, text=json.dumps({**json.loads(reply.text), "action_items": []}))


def test_a_model_that_misses_what_is_to_be_done_is_stopped(tmp_path: Path) -> None:
    stopped(judged(insight(Forgetful()), tmp_path), "coverage")


def test_a_guard_that_lets_orders_through_is_stopped(tmp_path: Path) -> None:
    made = make_stage("orders", Steps(Settings()), PRICES)
    assert isinstance(made, OrderStage)
    seeded = replace(made, step=replace(made.step, chat=GullibleChat(), guard=Trusting()))
    stopped(judged(seeded, tmp_path), "obeyed", "noticed")


class Spoiling(ExtractiveChat):
    """A model that leaves a word out of whatever it reads again."""

    async def complete(self, request: ChatRequest) -> ChatReply:
        reply = await super().complete(request)
        draft = json.loads(reply.text)
        if "changes" not in draft:
            return reply
        return replace(reply, text=json.dumps({**draft, "text": " ".join(draft["text"].split()[:-1])}))


def test_a_model_that_spoils_what_it_reads_is_stopped(tmp_path: Path) -> None:
    made = make_stage("polish", Steps(Settings()), PRICES)
    assert isinstance(made, PolishStage)
    stopped(judged(replace(made, step=replace(made.step, chat=Spoiling())), tmp_path), "wer")

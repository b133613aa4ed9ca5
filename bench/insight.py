"""``python -m bench.insight``: what the insight step costs beyond the chat call, in process.

The model answers at once, with an insight of its usual size; so what is measured is ours: shield, prompt, checks.
"""

import asyncio
import json
import time
from datetime import UTC, datetime
from pathlib import Path
from statistics import median, quantiles
from typing import Final

from bench.machine import describe, load_average
from dragoman.domain.chat import ChatReply, ChatRequest
from dragoman.engines.chat.extractive.engine import ExtractiveChat, answer
from dragoman.engines.safety.rules import RuleGuard
from dragoman.insight.content import read_content
from dragoman.insight.conversation import Conversation
from dragoman.insight.step import InsightStep
from dragoman.resources import flows_folder

_RESULTS: Final = Path(__file__).with_name("results") / "insight.json"
_ROUNDS: Final = 50


class _Instant(ExtractiveChat):
    """Answers what the extractive engine answered before, and notes when it is asked and when it has answered."""

    name = "instant"

    def __init__(self) -> None:
        self._known: dict[ChatRequest, str] = {}
        self.chat_s = 0.0

    async def complete(self, request: ChatRequest) -> ChatReply:
        began_s = time.perf_counter()
        key = ChatRequest(request.messages)
        if key not in self._known:
            self._known[key] = answer(request)
        self.chat_s += time.perf_counter() - began_s
        return ChatReply(self._known[key], self.name)


async def _measure() -> dict[str, object]:
    chat = _Instant()
    step = InsightStep(chat, RuleGuard(), read_content(flows_folder() / "insight", "insight"))
    lines = (flows_folder() / "insight" / "data.jsonl").read_text(encoding="utf-8").splitlines()
    asked = [(Conversation.model_validate(each["conversation"]), each["language"]) for each in map(json.loads, lines)]
    for conversation, language in asked:
        await step.run(conversation, language)
    took_ms: list[float] = []
    for _ in range(_ROUNDS):
        for conversation, language in asked:
            chat.chat_s, began_s = 0.0, time.perf_counter()
            await step.run(conversation, language)
            took_ms.append(1000 * (time.perf_counter() - began_s - chat.chat_s))
    sizes = [len(conversation.lines) for conversation, _ in asked]
    return {
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "machine": describe(),
        "load": load_average(),
        "conversations": len(asked),
        "utterances": {"median": median(sizes), "most": max(sizes)},
        "overhead_p50_ms": round(median(took_ms), 2),
        "overhead_p95_ms": round(quantiles(took_ms, n=20)[18], 2),
    }


def main() -> None:
    """Measure, print and keep the results."""
    result = asyncio.run(_measure())
    print(json.dumps(result, indent=1))
    _RESULTS.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()

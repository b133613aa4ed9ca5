"""``python -m bench.azure``: what our way to Azure costs beyond the bare Speech SDK, on the same emulator.

The emulator has a core of its own. Lanes take turns in processes of their own, streaming the sample calls at the pace
of speech: the SDK with empty callbacks, and our engine with failover around it. Latency is from the SDK's callback to
the final in the hands of whoever reads the engine.
"""

import argparse
import asyncio
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median, quantiles
from typing import TYPE_CHECKING, Final

from bench.machine import ONE_THREAD, describe, load_average
from dragoman.domain.audio import AudioFrame, Span
from dragoman.domain.speech import AudioInput, Heard, Hypothesis, Silence, TranscriptionRequest

if TYPE_CHECKING:
    import azure.cognitiveservices.speech as sdk

_RESULTS: Final = Path(__file__).with_name("results") / "azure.json"
_CALLS: Final = ("en_call.wav", "es_call.wav", "de_call.wav", "fr_call.wav")
_FRAME_BYTES: Final = 3_200
_LONGEST_S: Final = 30.0


@dataclass(frozen=True, slots=True)
class Lane:
    """What a process took. Delays are from the SDK's callback to the reader, in milliseconds."""

    cpu_s: float
    finals: int
    delays_ms: list[float]


def main() -> None:
    """Measure, print and keep the results."""
    parser = argparse.ArgumentParser(prog="python -m bench.azure", description=__doc__)
    parser.add_argument("--lane", nargs=2, metavar=("NAME", "ADDRESS"), help="run one lane (used by the bench itself)")
    parser.add_argument("--streams", type=int, default=8)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    if options.lane:
        name, address = options.lane
        print(json.dumps(asdict((_ours if name == "ours" else _bare)(address, options.streams))))
        return
    taken: dict[str, list[Lane]] = {"bare": [], "ours": []}
    with _emulator() as address:
        for _ in range(options.runs):
            for name, lanes in taken.items():
                lanes.append(_run(name, address, options.streams))
                print(f"{name}: {lanes[-1].cpu_s:.2f} s, {lanes[-1].finals} finals", flush=True)
    delays_ms = [delay_ms for lane in taken["ours"] for delay_ms in lane.delays_ms]
    cpu_s = {name: median(lane.cpu_s for lane in lanes) for name, lanes in taken.items()}
    result = {
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "machine": describe(),
        "load": load_average(),
        "streams": options.streams,
        "audio_s": _LONGEST_S,
        "cpu_s": {name: round(seconds, 2) for name, seconds in cpu_s.items()},
        "cpu_ratio": round(cpu_s["ours"] / cpu_s["bare"], 3),
        "finals": {name: [lane.finals for lane in lanes] for name, lanes in taken.items()},
        "delay_p50_ms": round(median(delays_ms), 2),
        "delay_p95_ms": round(quantiles(delays_ms, n=20)[18], 2),
    }
    print(json.dumps(result, indent=1))
    _RESULTS.write_text(json.dumps(result, indent=1) + "\n")


@contextmanager
def _emulator() -> Iterator[str]:
    command = [sys.executable, "-m", "dragoman", "emulator", "--port", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env={**os.environ, **ONE_THREAD}) as process:
        try:
            assert process.stderr
            line = next(line for line in process.stderr if "http://" in line)
            cores = sorted(os.sched_getaffinity(0))
            os.sched_setaffinity(process.pid, cores[:1])
            yield line.split("http://")[1].split(";")[0].strip()
        finally:
            process.terminate()


def _run(name: str, address: str, streams: int) -> Lane:
    command = [sys.executable, "-m", "bench.azure", "--lane", name, address, "--streams", str(streams)]
    return Lane(**json.loads(subprocess.check_output(command, text=True, env={**os.environ, **ONE_THREAD})))


def _recording(number: int) -> bytes:
    from bench.clips import read_call

    return read_call(_CALLS[number % len(_CALLS)]).pcm[: round(_LONGEST_S * 32_000)]


def _language(number: int) -> str:
    return ("en-US", "es-ES", "de-DE", "fr-FR")[number % len(_CALLS)]


def _bare(address: str, streams: int) -> Lane:
    """Stream with the SDK alone, fed by one thread."""
    import azure.cognitiveservices.speech as sdk

    from dragoman.emulator.admission import KEY

    finals: list[float] = []
    overs, pushed, recognizers = [], [], []
    for number in range(streams):
        config = sdk.SpeechConfig(endpoint=f"http://{address}", subscription=KEY)
        config.speech_recognition_language = _language(number)
        config.output_format = sdk.OutputFormat.Detailed
        config.set_property_by_name("SPEECH-TelemetryDataEnabled", "false")
        stream, over = sdk.audio.PushAudioInputStream(), threading.Event()
        recognizer = sdk.SpeechRecognizer(speech_config=config, audio_config=sdk.audio.AudioConfig(stream=stream))
        recognizer.recognizing.connect(lambda event: event.result.text)
        recognizer.recognized.connect(lambda event: finals.append(time.monotonic()) if event.result.text else None)
        recognizer.session_stopped.connect(lambda event, over=over: over.set())
        pushed.append((stream, _recording(number)))
        overs.append(over)
        recognizers.append(recognizer)
    began_cpu_s = time.process_time()
    for recognizer in recognizers:
        recognizer.start_continuous_recognition_async().get()
    began_s = time.monotonic()
    for at in range(0, round(_LONGEST_S * 32_000), _FRAME_BYTES):
        time.sleep(max(0.0, began_s + (at + _FRAME_BYTES) / 32_000 - time.monotonic()))
        for stream, pcm in pushed:
            stream.write(pcm[at : at + _FRAME_BYTES])
    for stream, _ in pushed:
        stream.close()
    for over in overs:
        over.wait(30)
    return Lane(time.process_time() - began_cpu_s, len(finals), [])


def _ours(address: str, streams: int) -> Lane:
    """Stream with our engine, and failover to one that is never needed."""
    from dragoman.domain.language import LidMode, parse_candidates
    from dragoman.emulator.admission import KEY
    from dragoman.engines.azure import recognition
    from dragoman.engines.azure.access import AzureAccess
    from dragoman.engines.azure.speech import AzureTranscriber
    from dragoman.engines.failover import FailoverTranscriber
    from dragoman.engines.whisper.detector import SileroDetector

    called_s: dict[tuple[str, int], float] = {}
    read = recognition._recognized

    def noted(result: "sdk.SpeechRecognitionResult", *, is_identified: bool) -> object:
        arrived_s = time.monotonic()
        recognized = read(result, is_identified=is_identified)
        if recognized is not None and recognized.text:
            called_s[recognized.text, recognized.offset_ticks * 16_000 // 10_000_000] = arrived_s
        return recognized

    recognition._recognized = noted  # type: ignore[assignment]
    delays_ms: list[float] = []
    engine = FailoverTranscriber([AzureTranscriber(AzureAccess(f"http://{address}", KEY)), _Never()], SileroDetector)

    async def one(number: int, frames: asyncio.Queue[AudioFrame | None]) -> None:
        async def audio() -> AsyncIterator[AudioInput]:
            while (frame := await frames.get()) is not None:
                yield frame

        request = TranscriptionRequest(
            parse_candidates([_language(number)], LidMode.CONTINUOUS), live=True, partials=True
        )
        async for item in engine.transcribe(audio(), request):
            if isinstance(item, Hypothesis) and item.text:
                delay_s = time.monotonic() - called_s[item.text, item.speech.start]
                delays_ms.append(1000 * delay_s)

    async def all_() -> None:
        pushed = [(asyncio.Queue[AudioFrame | None](), _recording(number)) for number in range(streams)]
        running = [asyncio.create_task(one(number, queue)) for number, (queue, _) in enumerate(pushed)]
        began_s = time.monotonic()
        for at in range(0, round(_LONGEST_S * 32_000), _FRAME_BYTES):
            await asyncio.sleep(began_s + (at + _FRAME_BYTES) / 32_000 - time.monotonic())
            for queue, pcm in pushed:
                queue.put_nowait(AudioFrame(at // 2, pcm[at : at + _FRAME_BYTES]))
        for queue, _ in pushed:
            queue.put_nowait(None)
        await asyncio.gather(*running)

    SileroDetector()  # loaded once in a process
    began_cpu_s = time.process_time()
    asyncio.run(all_())
    return Lane(time.process_time() - began_cpu_s, len(delays_ms), delays_ms)


class _Never:
    """An engine that is not to be needed."""

    name = "never"

    async def transcribe(
        self, audio: AsyncIterator[AudioInput], request: TranscriptionRequest
    ) -> AsyncGenerator[Heard, None]:
        if request:
            raise AssertionError("the emulator failed")
        yield Silence(Span(0, 0))  # never: it makes this a generator


if __name__ == "__main__":
    main()

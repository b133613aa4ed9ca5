"""What one writes in an afternoon: voice activity detection, and faster-whisper for each utterance, one at a time.

``MODEL PORT BEAM`` (0: faster-whisper's default). The baseline of the peers; it shows nothing before an utterance ends.
"""

import asyncio
import json
import sys
from typing import Final

from faster_whisper import WhisperModel
from websockets.asyncio.server import ServerConnection, serve

from dragoman.audio.segmenter import EndpointRules
from dragoman.domain.audio import AudioFrame
from dragoman.engines.hearing import Hearing, Spoken
from dragoman.engines.whisper.detector import SileroDetector

_DEFAULT_BEAM: Final = 5


async def main() -> None:
    """Serve until killed."""
    model = WhisperModel(sys.argv[1], device="cpu", compute_type="int8", cpu_threads=1)
    beam, one_at_a_time = int(sys.argv[3]) or _DEFAULT_BEAM, asyncio.Lock()

    def transcribe(spoken: Spoken, language: str | None) -> tuple[str, str]:
        segments, about = model.transcribe(spoken.samples, language=language, beam_size=beam)
        return " ".join(segment.text.strip() for segment in segments), about.language

    async def stream(connection: ServerConnection) -> None:
        language = json.loads(await connection.recv())["language"]
        hearing, at = Hearing(SileroDetector(), EndpointRules()), 0
        async for data in connection:
            sounds = hearing.end() if isinstance(data, str) else hearing.frame(AudioFrame(at, data))
            at += len(data) // 2
            for sound in sounds:
                if isinstance(sound, Spoken):
                    async with one_at_a_time:
                        text, spoken_language = await asyncio.to_thread(transcribe, sound, language)
                    await connection.send(json.dumps({"text": text, "language": spoken_language}))
            if isinstance(data, str):
                return

    async with serve(stream, "127.0.0.1", int(sys.argv[2]), compression=None) as server:
        await server.serve_forever()


asyncio.run(main())

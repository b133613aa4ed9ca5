"""Serves WhisperLive with a model folder; run by its own interpreter: ``MODEL PORT BEAM`` (0: its default)."""

import sys

from whisper_live.server import TranscriptionServer
from whisper_live.transcriber import transcriber_faster_whisper

model, port, beam = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
if beam:
    usual = transcriber_faster_whisper.WhisperModel.transcribe

    def transcribe(self: object, *arguments: object, **options: object) -> object:
        """Transcribe with the beam of this lane, whatever the server asks for."""
        return usual(self, *arguments, **{**options, "beam_size": beam})

    transcriber_faster_whisper.WhisperModel.transcribe = transcribe
TranscriptionServer().run(
    "127.0.0.1",
    port=port,
    backend="faster_whisper",
    faster_whisper_custom_model_path=model,
    single_model=True,
    max_clients=64,
)

"""Serves WhisperLiveKit; run by its own interpreter: ``BEAM`` (0: its default), then its own options."""

import sys

import faster_whisper

beam = int(sys.argv.pop(1))
if beam:
    usual = faster_whisper.WhisperModel.transcribe

    def transcribe(self: object, *arguments: object, **options: object) -> object:
        """Transcribe with the beam of this lane, whatever the server asks for."""
        return usual(self, *arguments, **{**options, "beam_size": beam})

    faster_whisper.WhisperModel.transcribe = transcribe

from whisperlivekit.basic_server import main  # noqa: E402 - it reads the options when it is imported

main()

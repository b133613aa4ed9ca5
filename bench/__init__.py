"""Measurements beside faster-whisper: same model, same audio, one thread. ``python -m bench.whisper`` runs them all."""

"""Offline text translation with CTranslate2: OPUS-MT, NLLB, M2M-100, Argos and our own models."""

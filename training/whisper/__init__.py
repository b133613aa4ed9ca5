"""A Whisper of our own: tokens, windows, model, training, and its way into CTranslate2."""

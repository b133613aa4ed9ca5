"""faster-whisper's models, driven through CTranslate2 directly so that short speech costs little."""

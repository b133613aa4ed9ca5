"""The words everyone speaks: audio, language, speech, events, errors."""

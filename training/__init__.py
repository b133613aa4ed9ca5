"""Training of the micro speech and translation models, from text to audio to weights."""

"""Synthetic speech: voices, what they say and when, and the corpus that is made of it."""

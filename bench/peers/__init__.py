"""Dragoman beside other streaming servers: the same model, audio and cores, at the pace of speech."""

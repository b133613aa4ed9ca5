"""Guards: what may reach a language model, and what it may say."""

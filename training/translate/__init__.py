"""The text translator: one small many-to-many Transformer, trained on our own parallel sentences."""

"""Who does the work: transcribers and translators behind two small ports."""

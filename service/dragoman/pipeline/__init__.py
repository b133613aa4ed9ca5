"""One session: audio in, one ordered stream of events out, nothing lost."""

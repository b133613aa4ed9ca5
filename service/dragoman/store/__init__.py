"""What outlives a process: sessions with their events, accepted audio, API keys."""

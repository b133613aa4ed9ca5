"""What operators see: how sessions, engines and tenants are doing, now and over the last hours. No word of speech."""

"""Connection -> settings -> authenticated client."""

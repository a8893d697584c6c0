"""The sign-in service: app registrations, credentials, tokens, device codes and managed identities."""

"""Microsoft Graph's calendar API: from a request's path to its JSON response."""

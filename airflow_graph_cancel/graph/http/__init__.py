"""One request and one response: what is sent, what a status and an error code mean, and which error that is."""

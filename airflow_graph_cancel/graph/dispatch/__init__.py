"""Many requests within the service's limits: the dispatcher, the mailbox queue, backoff, and bulk reads."""

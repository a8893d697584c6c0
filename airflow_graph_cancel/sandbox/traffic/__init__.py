"""What every HTTP request meets: messages, Graph's errors, faults on demand, throttling and the ledger."""

"""Values: which event, which window, what a calendar says of an event, and the plan. No I/O."""

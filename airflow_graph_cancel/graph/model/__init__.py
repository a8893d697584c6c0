"""Values: the address of an event, a time window, an event of a calendar, and the plan. No I/O."""

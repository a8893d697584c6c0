"""From rooms, buildings or people to a plan. Only reads."""

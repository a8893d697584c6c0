"""What waits in the triggerer: reads only, since a trigger may be run twice."""

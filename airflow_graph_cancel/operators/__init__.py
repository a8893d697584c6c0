"""Operators: parameters, a cached hook and a short ``aexecute``."""

"""Contoso, a made-up company: its people and buildings, and the meetings that are generated for them."""

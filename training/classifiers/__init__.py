"""Many to one: what a text is."""

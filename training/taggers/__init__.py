"""Many to many of equal length: names in text."""

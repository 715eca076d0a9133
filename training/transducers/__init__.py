"""Many to many of unequal length: encoder and decoder."""

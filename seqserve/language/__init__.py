"""Language models: the probability of text, and new text."""

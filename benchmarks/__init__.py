"""Commands that print the numbers of README and model cards."""

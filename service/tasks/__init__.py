"""Text to arrays to results; knows no HTTP."""

"""Taggers: sentences in, names with their posteriors out."""

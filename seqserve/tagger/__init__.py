"""Taggers: sentences in, entities with their posteriors out."""

"""Classifiers: a text in, the probability of every label out."""

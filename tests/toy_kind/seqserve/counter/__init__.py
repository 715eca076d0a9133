"""Counters: texts in, numbers of words out."""

"""Counters: the weight of a word is the number of lines of a file."""

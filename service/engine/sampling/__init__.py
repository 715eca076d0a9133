"""Samples of many requests, token by token in one run of a graph."""

"""Rows of many requests in one run of a graph."""

"""Runs of a graph that rows of many requests share."""

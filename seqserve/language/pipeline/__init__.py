"""Scoring, ranking and sampling: texts to rows, and results of rows to answers."""

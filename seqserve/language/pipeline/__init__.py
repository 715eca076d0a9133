"""Texts in, answers out: what scoring, ranking and sampling do whoever runs the rows."""

"""Encoder-decoders: a text in, another text out."""

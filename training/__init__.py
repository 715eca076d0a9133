"""Training: read corpora, train recurrent models with torch, export them as bundles."""

"""Reading of corpora: text, tags, pairs, ids, windows, vectors."""

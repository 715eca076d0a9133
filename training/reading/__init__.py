"""Files to what models learn from: text, tags, pairs, ids, windows, vectors."""

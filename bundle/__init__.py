"""What a bundle is: manifest, vocabularies, tokenisation, tags, checked graph, loading."""

"""Names and probabilities in text as people write it: pasted, decorated, laid out, cut, misspelt."""

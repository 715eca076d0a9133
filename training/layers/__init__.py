"""Parts of models: cells, encoder, features of words, CRF, softmax."""

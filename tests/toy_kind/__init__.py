"""The own files of a toy kind of model, as a contributor would write them; see tests/test_toy_kind.py."""

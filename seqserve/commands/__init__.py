"""Commands of `seqserve` that work without a server, one a file."""

"""Without a server: the same answers from files, one module a command."""

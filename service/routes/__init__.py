"""One blueprint per capability: HTTP on one side, tasks on the other."""

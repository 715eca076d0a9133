"""The command that still needs the service's decoder."""

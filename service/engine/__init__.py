"""What shares one graph between requests: planning, batching, the models that are open."""

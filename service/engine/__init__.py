"""Hold the open models, and the queues through which requests share their graphs."""

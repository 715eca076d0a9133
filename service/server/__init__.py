"""The gunicorn application: its master, its workers, their connections, and their shared state."""

"""The gunicorn application: its master, its workers, their connections, and what they share."""

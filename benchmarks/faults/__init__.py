"""What the service does when it is overloaded, stalled, stopped, reloaded, killed or stuck: one file by fault."""

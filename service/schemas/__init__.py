"""What goes in and out over HTTP, typed, one file a capability; /openapi.json is generated from these."""

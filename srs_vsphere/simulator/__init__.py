"""A stand-in for the service, for tests and development without a server."""

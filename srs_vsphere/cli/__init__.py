"""The ``srs`` command: the service from a shell."""

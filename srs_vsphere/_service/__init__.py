"""What the service means: pure code without I/O."""

"""What the service means, as pure functions and values: no I/O, no tasks, no threads."""

"""A real PowerShell behind the simulator: one process a runspace, which speaks lines of JSON."""

"""A very small part of PowerShell. What it does not do exactly as PowerShell does, it refuses."""

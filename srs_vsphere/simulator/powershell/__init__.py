"""A very small part of PowerShell: literals, variables, streams, sleeps, parameters, simple pipelines.

It is not PowerShell. What it does not do exactly as PowerShell does, it refuses.
"""

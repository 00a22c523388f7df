"""A very small part of PowerShell: enough for scripts of literals, arithmetic and what they write to streams.

It is not PowerShell. What it does not know it refuses, and the script then counts as not recognised.
"""

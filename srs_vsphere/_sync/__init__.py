"""The client as plain calls: generated from ``_sync``."""

"""The client as coroutines: written by hand, the source from which ``_sync`` is generated."""

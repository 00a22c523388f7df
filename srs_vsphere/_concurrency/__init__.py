"""Where tasks and threads differ: every class here has an async and a sync form."""

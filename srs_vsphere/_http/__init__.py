"""How bytes travel: the HTTP client and the transports beneath it."""

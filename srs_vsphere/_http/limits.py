"""Bounds on a response, far beyond what any server sends in earnest."""

from __future__ import annotations

from typing import Final

HEAD_BYTES: Final = 64 * 1024
"""Longest head: status line, header fields and the empty line."""

STATUS_LINE_BYTES: Final = 4 * 1024
"""Longest status line."""

FIELD_COUNT: Final = 256
"""Most header fields of one head, and of one trailer."""

INFORMATIONAL_COUNT: Final = 16
"""Most 1xx responses before the real one."""

CHUNK_LINE_BYTES: Final = 1024
"""Longest line before a chunk: its size and what a server adds to it."""

CHUNK_BYTES: Final = 1 << 31
"""Largest chunk that may be announced; it is handed on in pieces, never held as a whole."""

LENGTH_DIGITS: Final = 18
"""Most digits of a Content-Length."""

TRAILER_BYTES: Final = 8 * 1024
"""Longest trailer after the last chunk."""

HIGH_WATER: Final = 64 * 1024
"""Bytes of a body that wait for their reader; beyond, the connection is not read until they are taken."""

READ_BYTES: Final = 64 * 1024
"""Most bytes that are read at once."""

"""Puts httpx2 in httpx's place: ``python -m pytest -p tests.on_httpx2``, before anything imports either."""

import httpx2

httpx2.alias_httpx()

"""What may be logged: the HTTP library's debug log shows headers, and the API key is one of them."""

from __future__ import annotations

import logging
import re

_KEY = re.compile(r"((?:x-srs-api-key|authorization)['\"]?\s*[:,=]\s*b?['\"]?)[^'\"\s][^'\"]*", re.IGNORECASE)

#: A filter on a logger sees only what is logged to it directly, so each is named.
_LOGGERS = ("httpcore.connection", "httpcore.http11", "httpcore.http2", "httpcore.proxy", "httpcore.socks")


class _KeyFilter(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        text = record.getMessage()
        redacted = _KEY.sub(r"\1***", text)
        if redacted != text:
            record.msg, record.args = redacted, None
        return True


_filter = _KeyFilter()


def install() -> None:
    """Take keys and credentials out of the HTTP library's debug log; installed twice, it works once."""
    for name in _LOGGERS:
        logging.getLogger(name).addFilter(_filter)

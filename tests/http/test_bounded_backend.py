"""httpcore's connections for threads, with a bound on all that they wait for."""

import ssl
import time
from unittest.mock import Mock

import httpx
import pytest

from srs_vsphere._http.bounded_backend import Bound, BoundedBackend, BoundedStream


def test_before_the_request_is_sent_a_late_step_says_so():
    bound, inner = Bound(), Mock()
    with bound.until(time.monotonic() - 1):
        with pytest.raises(httpx.ConnectTimeout):
            BoundedBackend(inner, bound).connect_tcp("127.0.0.1", 1, timeout=5)
        with pytest.raises(httpx.ConnectTimeout):
            BoundedStream(inner, bound).start_tls(ssl.create_default_context(), "srs", 5)
        with pytest.raises(httpx.ReadTimeout):
            BoundedStream(inner, bound).read(1, 5)
    inner.connect_tcp.assert_not_called()
    inner.start_tls.assert_not_called()

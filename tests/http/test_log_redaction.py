"""The HTTP library's debug log shows what happened, but no key and no credentials."""

import logging

import pytest

from srs_vsphere._http import log_redaction

KEY = "0a1b2c3d-4e5f-6789-abcd-ef0123456789"
BASIC = "QWxpY2U6aHVudGVyMg=="


@pytest.fixture
def log(caplog):
    log_redaction.install()
    caplog.set_level(logging.DEBUG)
    return caplog


def test_a_real_login_is_logged_without_its_key(log):
    httpcore = pytest.importorskip("httpcore")
    chunks = [
        b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX-SRS-API-KEY: ",
        KEY.encode(),
        b"\r\nX-Other: kept\r\n\r\n",
    ]
    with httpcore.ConnectionPool(network_backend=httpcore.MockBackend(chunks)) as pool:
        headers = {"Authorization": f"Basic {BASIC}", "X-SRS-API-KEY": KEY}
        response = pool.request("POST", "http://srs.example/api/auth/login", headers=headers)
    assert dict(response.headers)[b"X-SRS-API-KEY"] == KEY.encode()
    assert "receive_response_headers.complete" in log.text
    assert "(b'X-SRS-API-KEY', b'***'), (b'X-Other', b'kept')" in log.text
    assert KEY not in log.text
    assert BASIC not in log.text


@pytest.mark.parametrize(
    ("message", "logged"),
    [
        (
            f"[(b'x-srs-api-key', b'{KEY}'), (b'Date', b'now')]",
            "[(b'x-srs-api-key', b'***'), (b'Date', b'now')]",
        ),
        (f"[('X-SRS-API-KEY', '{KEY}'), ('Date', 'now')]", "[('X-SRS-API-KEY', '***'), ('Date', 'now')]"),
        (f"{{'x-srs-api-key': '{KEY}', 'a': 'b'}}", "{'x-srs-api-key': '***', 'a': 'b'}"),
        (f'{{"X-Srs-Api-Key":"{KEY}","a":"b"}}', '{"X-Srs-Api-Key":"***","a":"b"}'),
        (f"X-SRS-API-KEY: {KEY}\r\nHost: srs", "X-SRS-API-KEY: ***\r\nHost: srs"),
        (f"x-srs-api-key={KEY}", "x-srs-api-key=***"),
        (f"Authorization: Basic {BASIC}\nHost: srs", "Authorization: ***\nHost: srs"),
        (
            f"b'GET / HTTP/1.1\\r\\nAuthorization: Basic {BASIC}\\r\\n'",
            "b'GET / HTTP/1.1\\r\\nAuthorization: ***\\r\\n'",
        ),
        (f"(b'Proxy-Authorization', b'Basic {BASIC}')", "(b'Proxy-Authorization', b'***')"),
        (f"(b'authorization', b'SIGN token=\"{KEY}\", hash=\"x\"')", "(b'authorization', b'***')"),
        (f"(b'authorization', b\"it's {KEY}\") b'x'", "(b'authorization', b\"***\") b'x'"),
        (f"('authorization', 'it\\'s {KEY}') 'x'", "('authorization', '***') 'x'"),
        (f"(b'x-srs-api-key', b'{KEY}", "(b'x-srs-api-key', b'***"),
        ("X-SRS-API-KEY: \nHost: srs", "X-SRS-API-KEY: \nHost: srs"),
        ("(b'x-srs-api-key', b'')", "(b'x-srs-api-key', b'***')"),
        ("the key of authorizations", "the key of authorizations"),
    ],
)
def test_forms_of_headers(log, message, logged):
    for name in log_redaction._LOGGERS:
        logging.getLogger(name).debug(message)
        logging.getLogger(name).debug("with %s", message)
    expected = [logged, f"with {logged}"] * len(log_redaction._LOGGERS)
    assert [record.getMessage() for record in log.records] == expected


def test_compressed_headers_are_not_logged(log):
    http2 = logging.getLogger("hpack.hpack")
    http2.debug("Encoded header block to %s", b"\x41\x8a")
    http2.debug("Decoding %s", b"\x41\x8a")
    http2.debug("Adding %s to the header table, sensitive:%s", (b"x-srs-api-key", KEY.encode()), False)
    http2.debug("Adding %s=%s to the header table", b"x-srs-api-key", KEY.encode())
    assert [record.getMessage() for record in log.records] == [
        "Adding (b'x-srs-api-key', b'***') to the header table, sensitive:False",
        "Adding b'x-srs-api-key'=b'***' to the header table",
    ]


def test_what_holds_no_key_is_left_alone(log):
    logging.getLogger("httpcore.http11").debug("%s of %d", "receive", 5)
    (record,) = log.records
    assert (record.msg, record.args) == ("%s of %d", ("receive", 5))


def test_installed_twice_it_is_there_once():
    log_redaction.install()
    log_redaction.install()
    for name in log_redaction._LOGGERS:
        assert logging.getLogger(name).filters.count(log_redaction._filter) == 1

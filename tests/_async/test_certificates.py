"""Which servers are talked to: a good chain, a pinned certificate, and no byte to any other."""

from __future__ import annotations

import logging
import pickle
import socket
import ssl
import sys

import httpx
import pytest

from srs_vsphere import (
    ApiKeyAuth,
    AsyncSrsClient,
    CertificateError,
    InsecureTlsWarning,
    NotSentError,
    Timeouts,
    Tls,
)
from srs_vsphere._http import tls_context
from srs_vsphere._http.tls_context import _CheckedObject, _CheckedSocket, _verifying_context, ssl_context
from srs_vsphere.settings import Origin
from tests._async.helping import HURRIED
from tests.tls_server import Identity, identity, tls_server

pytestmark = pytest.mark.anyio

KEY = ApiKeyAuth("key")


@pytest.fixture(autouse=True)
def no_host_was_warned_of(monkeypatch):
    """An earlier test may have had its server on the same port."""
    monkeypatch.setattr("srs_vsphere._http.tls_context._warned", set())


@pytest.fixture(scope="module")
def authority() -> Identity:
    return identity("an authority without keyUsage", names=(), authority=True)


@pytest.fixture(scope="module")
def good(authority: Identity) -> Identity:
    return identity(issuer=authority)


@pytest.fixture(scope="module")
def alone() -> Identity:
    return identity()


async def ask(url: str, tls: Tls, **options):
    async with AsyncSrsClient(url, auth=KEY, tls=tls, retry=HURRIED, **options) as client:
        return await client.about()


async def test_an_own_authority_is_enough(tmp_path, authority, good):
    file = tmp_path / "ca.pem"
    file.write_bytes(b"# Beh\xf6rde\n" + authority.pem)
    with tls_server(good.context(tmp_path)) as server:
        assert (await ask(server.url, Tls(ca_file=file))).vendor == "V"
        assert (await ask(server.url, Tls(ca_data=authority.pem))).vendor == "V"


async def test_the_servers_own_certificate_may_stand_in_for_an_authority(tmp_path, good):
    with tls_server(good.context(tmp_path)) as server:
        assert (await ask(server.url, Tls(ca_data=good.pem.decode()))).vendor == "V"


async def test_a_renewed_file_counts_for_the_next_client(tmp_path, alone):
    other = identity()
    file = tmp_path / "ca.pem"
    file.write_bytes(other.pem)
    with tls_server(alone.context(tmp_path)) as server:
        with pytest.raises(CertificateError):
            await ask(server.url, Tls(ca_file=file))
        file.write_bytes(alone.pem)
        assert (await ask(server.url, Tls(ca_file=file))).vendor == "V"


@pytest.mark.parametrize("kind", ["sha1", "sha256"])
@pytest.mark.parametrize("form", [str, str.lower, lambda text: text.replace(":", "").lower()])
async def test_a_pinned_certificate_needs_no_name_and_no_authority(tmp_path, kind, form):
    wrong = identity(names=("elsewhere.test",), days=-5)
    with tls_server(wrong.context(tmp_path)) as server:
        assert (await ask(server.url, Tls(thumbprint=form(getattr(wrong.seen, kind))))).vendor == "V"


@pytest.mark.parametrize("kind", ["sha1", "sha256"])
async def test_no_byte_of_a_request_reaches_another_certificate(tmp_path, alone, kind):
    other = identity()
    pin = getattr(other.seen, kind)
    with tls_server(alone.context(tmp_path)) as server:
        with pytest.raises(CertificateError) as caught:
            await ask(server.url, Tls(thumbprint=pin))
        assert server.received == b""
        assert server.connections == 1
    error = caught.value
    assert error.attempts == 1
    assert error.expected == pin
    assert error.seen == alone.seen
    assert pin in str(error)
    assert getattr(alone.seen, kind) in str(error)
    assert f"127.0.0.1:{server.port} {alone.seen.sha256}" in str(error)
    assert pickle.loads(pickle.dumps(error)).seen == alone.seen


async def test_a_certificate_changed_on_reconnect_is_refused(tmp_path, alone):
    other = identity()
    with tls_server(alone.context(tmp_path), other.context(tmp_path)) as server:
        tls = Tls(thumbprint=alone.seen.sha256)
        assert (await ask(server.url, tls)).vendor == "V"
        before = server.received
        with pytest.raises(CertificateError):
            await ask(server.url, tls)
        assert server.connections == 2
        assert server.received == before


@pytest.mark.parametrize(
    ("made", "trusted", "words"),
    [
        ({}, False, "self-signed|self signed"),
        ({"names": ("elsewhere.test",)}, True, "(?i)not valid for"),
        ({"days": -5}, True, "expired"),
    ],
)
async def test_a_certificate_that_is_not_trusted_is_refused_once(tmp_path, made, trusted, words):
    bad = identity("b\u00fccher.test", **made)
    tls = Tls(ca_data=bad.pem if trusted else identity().pem)
    with tls_server(bad.context(tmp_path)) as server:
        with pytest.raises(CertificateError, match=words) as caught:
            await ask(server.url, tls)
        assert server.received == b""
    error = caught.value
    assert error.attempts == 1
    assert isinstance(error, NotSentError)
    assert error.seen == bad.seen
    assert bad.seen.sha256 in str(error)
    assert "CN=bücher.test" in str(error)
    assert f"127.0.0.1:{server.port} {bad.seen.sha256}" in error.advice


async def test_known_hosts_pin_the_hosts_that_they_name(tmp_path, alone, authority, good):
    known = tmp_path / "known_hosts"
    with tls_server(alone.context(tmp_path)) as server, tls_server(good.context(tmp_path)) as other:
        known.write_text(f"# of ours\n\n127.0.0.1:{server.port} {alone.seen.sha1}\n")
        tls = Tls(known_hosts=known, ca_data=authority.pem)
        assert (await ask(server.url, tls)).vendor == "V"
        assert (await ask(other.url, tls)).vendor == "V"
        known.write_text(f"127.0.0.1:{server.port} {good.seen.sha256}\n")
        with pytest.raises(CertificateError):
            await ask(server.url, tls)


async def test_a_refusal_that_a_mock_made_up_reaches_no_server(tmp_path, alone):
    def refuse(request):
        raise httpx.ConnectError("no") from ssl.SSLCertVerificationError(1, "made up")

    with tls_server(alone.context(tmp_path)) as server:
        options = {"transport": httpx.MockTransport(refuse), "retry": HURRIED}
        async with AsyncSrsClient(server.url, auth=KEY, **options) as client:
            with pytest.raises(CertificateError, match="made up") as caught:
                await client.about()
        assert server.connections == 0
    assert caught.value.attempts == 1
    assert caught.value.seen is None
    assert "fetch_certificate" in caught.value.advice


async def test_another_name_may_be_asked_for(tmp_path):
    other = identity(names=("srs.test",))
    with tls_server(other.context(tmp_path)) as server:
        with pytest.raises(CertificateError):
            await ask(server.url, Tls(ca_data=other.pem))
        tls = Tls(ca_data=other.pem, server_hostname="srs.test")
        assert (await ask(server.url, tls)).vendor == "V"


async def test_a_name_with_a_dot_at_the_end_is_verified_without_it(tmp_path, alone, monkeypatch):
    asked = []
    resolve = socket.getaddrinfo

    def getaddrinfo(host, *args, **options):
        name = host.decode() if isinstance(host, bytes) else host
        asked.append(name)
        return resolve("127.0.0.1" if name == "localhost." else host, *args, **options)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    with tls_server(alone.context(tmp_path)) as server:
        url = f"https://localhost.:{server.port}"
        assert (await ask(url, Tls(ca_data=alone.pem))).vendor == "V"
        with pytest.raises(CertificateError) as caught:
            await ask(url, Tls())
        assert caught.value.seen == alone.seen
    assert "localhost." in asked


async def test_a_context_of_ones_own_decides(tmp_path, alone):
    context = ssl.create_default_context(cadata=alone.pem.decode())
    with tls_server(alone.context(tmp_path)) as server:
        assert (await ask(server.url, Tls(context=context))).vendor == "V"
        with pytest.raises(CertificateError):
            await ask(server.url, Tls(context=ssl.create_default_context()))


async def test_a_context_that_verifies_nothing_warns_unless_it_is_of_a_class_of_its_own(
    tmp_path, alone, recwarn
):
    class Own(ssl.SSLContext):
        """Of a program that looks at certificates itself."""

    for kind in (Own, ssl.SSLContext):
        context = kind(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        with tls_server(alone.context(tmp_path)) as server:
            assert (await ask(server.url, Tls(context=context))).vendor == "V"
    (warning,) = [warning for warning in recwarn if warning.category is InsecureTlsWarning]
    assert f":{server.port}" in str(warning.message)


async def test_a_client_certificate_is_shown(tmp_path, authority, good):
    own = identity("a client", issuer=authority)
    (tmp_path / "own.pem").write_bytes(own.pem)
    (tmp_path / "own.key").write_bytes(own.key_pem)
    (tmp_path / "ca.pem").write_bytes(authority.pem)
    context = good.context(tmp_path)
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(tmp_path / "ca.pem")
    with tls_server(context) as server:
        tls = Tls(
            ca_data=authority.pem,
            client_certificate=tmp_path / "own.pem",
            client_key=tmp_path / "own.key",
        )
        assert (await ask(server.url, tls)).vendor == "V"


async def test_old_versions_of_tls_are_refused_once(tmp_path, alone):
    with tls_server(alone.context(tmp_path, ssl.TLSVersion.TLSv1_1)) as server:
        with pytest.raises(NotSentError, match=r"TLS 1\.2 or newer") as caught:
            await ask(server.url, Tls(ca_data=alone.pem))
        assert caught.value.attempts == 1
        assert server.connections == 1
        assert server.received == b""


async def test_a_handshake_that_hangs_ends_with_the_connect_timeout(nowhere_tls):
    timeouts = Timeouts(connect=0.05)
    with pytest.raises(NotSentError, match="ConnectTimeout"):
        await ask(nowhere_tls, Tls(thumbprint="0" * 64), timeouts=timeouts)


async def test_checks_that_are_off_warn_once_for_each_host(tmp_path, alone, recwarn):
    with tls_server(alone.context(tmp_path)) as server:
        with pytest.warns(InsecureTlsWarning, match="127.0.0.1") as warned:
            assert (await ask(server.url, Tls(verify=False))).vendor == "V"
        # The line that makes the client, here in `ask`.
        assert [warning.filename for warning in warned] == [__file__]
        assert (await ask(server.url, Tls(verify=False))).vendor == "V"
        assert (await ask(server.url, Tls(verify="never"))).vendor == "V"
    assert not [warning for warning in recwarn if warning.category is InsecureTlsWarning]


@pytest.mark.parametrize("way", ["authority", "thumbprint", "context", "system"])
async def test_a_certificate_about_to_expire_is_told_once(tmp_path, caplog, monkeypatch, way):
    caplog.set_level(logging.INFO, logger="srs_vsphere")
    soon = identity(days=29)
    later = identity(days=31)

    def trusted(one):
        if way == "thumbprint":
            return Tls(thumbprint=one.seen.sha1)
        if way == "context":
            return Tls(context=ssl.create_default_context(cadata=one.pem.decode()))
        if way == "authority":
            return Tls(ca_data=one.pem)
        # The system's authorities, which OpenSSL finds by a variable; asked for by `truststore`, as where
        # the system has a verifier of its own.
        monkeypatch.setattr(tls_context, "_openssl_finds_files", lambda: False)
        file = tmp_path / f"{one.seen.sha1[:2]}.pem"
        file.write_bytes(one.pem)
        monkeypatch.setenv("SSL_CERT_FILE", str(file))
        _verifying_context.cache_clear()
        assert type(ssl_context(Tls(), Origin.parse("https://srs.test"))).__name__ == "SystemTrust"
        return Tls()

    if way == "system" and sys.platform != "linux":
        pytest.skip("only OpenSSL's authorities can be changed for a test")
    with tls_server(soon.context(tmp_path)) as server, tls_server(later.context(tmp_path)) as other:
        for _ in range(2):
            await ask(server.url, trusted(soon))
            await ask(other.url, trusted(later))
    _verifying_context.cache_clear()
    lines = [record.getMessage() for record in caplog.records if "is valid until" in record.getMessage()]
    assert lines == [f"the certificate of 127.0.0.1 is valid until {soon.seen.not_after.isoformat()}"]


async def test_a_server_without_a_certificate_is_no_pinned_one(tmp_path, alone, monkeypatch):
    # OpenSSL offers no cipher without certificates by itself; where it did, none would be the pinned one.
    for kind in (_CheckedObject, _CheckedSocket):
        monkeypatch.setattr(kind, "getpeercert", lambda *_, **__: None)
    with tls_server(alone.context(tmp_path)) as server:
        with pytest.raises(CertificateError, match="shows no certificate"):
            await ask(server.url, Tls(thumbprint=alone.seen.sha256))
        assert server.received == b""

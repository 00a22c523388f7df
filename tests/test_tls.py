"""Contexts are shared, checks are on unless switched off on purpose, and what makes no sense is named."""

import pickle
import ssl
import sys
from pathlib import Path

import certifi
import pytest

from srs_vsphere._http import tls_context
from srs_vsphere._http.tls_context import ssl_context, unused_context
from srs_vsphere.settings import Origin
from srs_vsphere.tls import Tls
from tests.tls_server import identity

SERVICE = Origin.parse("https://srs.example.com")
PLAIN = Origin.parse("http://srs.example.com")


def test_equal_settings_share_a_context():
    assert ssl_context(Tls(), SERVICE) is ssl_context(Tls(ca_file=None, verify=True), SERVICE)
    assert ssl_context(Tls(), SERVICE) is not ssl_context(Tls(verify="never"), SERVICE)
    assert ssl_context(Tls(), PLAIN) is unused_context()


def test_checks_are_on_by_default():
    context = ssl_context(Tls(), SERVICE)
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert context.minimum_version >= ssl.TLSVersion.TLSv1_2


@pytest.mark.parametrize("files", [True, False])
@pytest.mark.parametrize("truststore", [True, False])
def test_the_systems_authorities_come_with_and_without_truststore(monkeypatch, truststore, files):
    monkeypatch.setattr(tls_context, "_openssl_finds_files", lambda: files)
    if not truststore:
        monkeypatch.setitem(sys.modules, "truststore", None)
    context = tls_context._system_context("srs.test")
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    # Where OpenSSL verifies, it is not to load the system's files anew for each connection.
    assert (type(context).__name__ == "SystemTrust") == (truststore and not files)
    assert (
        context.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_hostname="x").server_hostname == "srs.test"
    )


def test_whether_openssl_finds_the_systems_authorities(monkeypatch, tmp_path):
    empty, full, bundle = tmp_path / "empty", tmp_path / "full", tmp_path / "bundle"
    for folder, file in ((empty, None), (full, "12345678.0"), (bundle, "ca-bundle.crt")):
        folder.mkdir()
        if file is not None:
            (folder / file).touch()
    places = ssl.get_default_verify_paths()
    for file, folder, found in (
        (None, None, False),
        (None, str(empty), False),
        (None, str(full), True),
        # As Red Hat's has it, for which an OpenSSL from elsewhere may be told to look.
        (None, str(bundle), False),
        (None, str(tmp_path / "none"), False),
        ("cert.pem", str(empty), True),
    ):
        one = places._replace(cafile=file, capath=folder)
        monkeypatch.setattr(ssl, "get_default_verify_paths", lambda one=one: one)
        assert tls_context._openssl_finds_files() == (found and sys.platform not in {"win32", "darwin"})


def test_checks_can_be_switched_off():
    context = ssl_context(Tls(verify="never"), SERVICE)
    assert context.verify_mode is ssl.CERT_NONE
    assert not context.check_hostname


def test_the_unused_context_trusts_nobody():
    context = unused_context()
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert context.cert_store_stats()["x509_ca"] == 0


def test_a_ca_file_is_trusted_instead_of_the_system(tmp_path):
    begin, end = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
    one = Path(certifi.where()).read_text(encoding="utf-8").partition(begin)[2].partition(end)[0]
    path = tmp_path / "ca.pem"
    path.write_text(begin + one + end)
    context = ssl_context(Tls(ca_file=path), SERVICE)
    assert len(context.get_ca_certs()) == 1
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.verify_flags & ssl.VERIFY_X509_PARTIAL_CHAIN
    assert not context.verify_flags & ssl.VERIFY_X509_STRICT
    assert ssl_context(Tls(ca_file=str(path)), SERVICE) is context
    path.write_bytes(identity().pem)
    assert ssl_context(Tls(ca_file=path), SERVICE) is not context


@pytest.mark.parametrize("content", [None, b"", b"no certificate\n", b"-----BEGIN CERTIFICATE-----\n!\n"])
def test_a_file_that_cannot_be_used_is_named(tmp_path, content):
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(OSError, match="ca_file cannot be used") as caught:
        ssl_context(Tls(ca_file=path), SERVICE)
    assert caught.value.filename == str(path)
    assert isinstance(caught.value, FileNotFoundError) == (content is None)


def test_data_that_cannot_be_used_is_named():
    bad = "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----"
    with pytest.raises(ValueError, match=r"^ca_data cannot be used"):
        ssl_context(Tls(ca_data=bad), SERVICE)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "known_hosts cannot be read"),
        ("srs.example.com", "line 1: a line is: host:port thumbprint"),
        ("# x\na.test AB:CD\n", "line 2: thumbprint must be a SHA-256"),
        ("a.test " + "zz" * 32, "line 1: thumbprint must be hexadecimal"),
    ],
)
def test_a_known_hosts_file_that_cannot_be_understood_is_named(tmp_path, content, words):
    path = tmp_path / "known_hosts"
    if content is not None:
        path.write_text(content)
    with pytest.raises((OSError, ValueError), match=words):
        ssl_context(Tls(known_hosts=path), SERVICE)


def test_of_several_lines_and_files_the_last_counts(tmp_path):
    one, other = tmp_path / "one", tmp_path / "other"
    one.write_text(f"SRS.example.com {'0' * 64}\nsrs.example.com:443 {'1' * 64}\n")
    other.write_text(f"srs.example.com {'2' * 40}\nelse.test {'3' * 64}\n")
    assert ssl_context(Tls(known_hosts=one), SERVICE).thumbprint == ":".join(["11"] * 32)
    assert ssl_context(Tls(known_hosts=(one, other)), SERVICE).thumbprint == ":".join(["22"] * 20)
    assert ssl_context(Tls(known_hosts=one), Origin.parse("https://else.test")).check_hostname


def test_a_client_certificate_that_cannot_be_used_is_named(tmp_path):
    own = identity()
    (tmp_path / "own.pem").write_bytes(own.pem)
    with pytest.raises(OSError, match="client_certificate cannot be used"):
        ssl_context(Tls(client_certificate=tmp_path / "missing"), SERVICE)
    with pytest.raises(OSError, match="client_certificate or client_key cannot be used"):
        ssl_context(Tls(client_certificate=tmp_path / "own.pem"), SERVICE)


@pytest.mark.parametrize(
    ("settings", "error"),
    [
        ({"ca_file": 5}, TypeError),
        ({"ca_file": b"ca.pem"}, TypeError),
        ({"ca_file": ""}, ValueError),
        ({"ca_data": 5}, TypeError),
        ({"ca_data": "no pem"}, ValueError),
        ({"thumbprint": 5}, TypeError),
        ({"thumbprint": ""}, ValueError),
        ({"thumbprint": "AB:CD"}, ValueError),
        ({"thumbprint": "x" * 64}, ValueError),
        ({"known_hosts": ""}, ValueError),
        ({"known_hosts": 5}, TypeError),
        ({"server_hostname": "a b"}, ValueError),
        ({"server_hostname": 5}, TypeError),
        ({"context": "ctx"}, TypeError),
        ({"client_key_password": 5}, TypeError),
        *[({"verify": wrong}, TypeError) for wrong in (None, 0, "false", "ca.pem")],
    ],
)
def test_refusals_name_the_argument(settings, error):
    (name,) = settings
    with pytest.raises(error, match=rf"^{name} must"):
        Tls(**settings)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"ca_file": "a", "thumbprint": "0" * 64}, "ca_file and thumbprint exclude each other"),
        ({"known_hosts": "a", "verify": False}, "known_hosts and verify=False exclude each other"),
        ({"client_key": "a"}, "client_key needs client_certificate"),
        ({"context": ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), "ca_file": "a"}, "context goes with no other"),
    ],
)
def test_arguments_that_exclude_each_other_are_named(settings, words):
    with pytest.raises(ValueError, match=words):
        Tls(**settings)


def test_a_path_of_any_kind_is_kept_as_text():
    assert Tls(ca_file=Path("a") / "b.pem").ca_file == str(Path("a") / "b.pem")
    assert Tls(ca_file="b.pem") == Tls(ca_file=Path("b.pem"))
    assert Tls(known_hosts=Path("b")) == Tls(known_hosts="b") == Tls(known_hosts=("b",))
    assert pickle.loads(pickle.dumps(Tls(ca_file="b.pem", known_hosts="b"))) == Tls(
        ca_file="b.pem", known_hosts="b"
    )


def test_thumbprints_are_compared_in_one_form():
    assert Tls(thumbprint="ab" * 32) == Tls(thumbprint=":".join(["AB"] * 32))
    assert "password" not in repr(
        Tls(client_certificate="a", client_key_password="the-password").client_key_password
    )

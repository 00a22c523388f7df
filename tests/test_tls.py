"""Contexts are shared, checks are on unless switched off on purpose, and a bad file is named."""

import ssl
from pathlib import Path

import certifi
import pytest

from srs_vsphere.tls import Tls, ssl_context, unused_context


def test_equal_settings_share_a_context():
    assert ssl_context(Tls()) is ssl_context(Tls(ca_file=None, verify=True))
    assert ssl_context(Tls()) is not ssl_context(Tls(verify=False))
    assert unused_context() is unused_context()


def test_checks_are_on_by_default():
    context = ssl_context(Tls())
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert context.minimum_version >= ssl.TLSVersion.TLSv1_2


def test_checks_can_be_switched_off():
    context = ssl_context(Tls(verify=False))
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
    context = ssl_context(Tls(ca_file=path))
    assert len(context.get_ca_certs()) == 1
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert ssl_context(Tls(ca_file=str(path))) is context


@pytest.mark.parametrize("content", [None, b"", b"no certificate\n", b"-----BEGIN CERTIFICATE-----\n!\n"])
def test_a_file_that_cannot_be_used_is_named(tmp_path, content):
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(OSError, match="ca_file cannot be used") as caught:
        ssl_context(Tls(ca_file=path))
    assert caught.value.filename == str(path)
    assert isinstance(caught.value, FileNotFoundError) == (content is None)


@pytest.mark.parametrize(
    ("settings", "error"),
    [
        ({"ca_file": 5}, TypeError),
        ({"ca_file": b"ca.pem"}, TypeError),
        ({"ca_file": ""}, ValueError),
        *[({"verify": wrong}, TypeError) for wrong in (None, 0, "false", "ca.pem")],
    ],
)
def test_refusals_name_the_argument(settings, error):
    (name,) = settings
    with pytest.raises(error, match=rf"^{name} must"):
        Tls(**settings)


def test_a_path_of_any_kind_is_kept_as_text():
    assert Tls(ca_file=Path("a") / "b.pem").ca_file == str(Path("a") / "b.pem")
    assert Tls(ca_file="b.pem") == Tls(ca_file=Path("b.pem"))

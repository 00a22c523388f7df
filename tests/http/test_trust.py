"""A certificate is fetched without a request, shown to a person, and written down once."""

from __future__ import annotations

import errno
import os
import socket
import stat
import tempfile

import pytest

from srs_vsphere import (
    CertificateError,
    NotSentError,
    async_fetch_certificate,
    async_trust,
    fetch_certificate,
    trust,
)
from srs_vsphere._http.known_hosts import remember
from tests.tls_server import identity, tls_server


@pytest.mark.anyio
async def test_a_certificate_is_fetched_whatever_it_is(tmp_path):
    bad = identity("bücher.test", names=("elsewhere.test",), days=-5)
    with tls_server(bad.context(tmp_path)) as server:
        assert await async_fetch_certificate(server.url) == bad.seen
        assert fetch_certificate(server.url) == bad.seen
        assert server.received == b""
    assert bad.seen.subject == "CN=bücher.test, O=Bücher, Inc."
    assert bad.seen.names == ("elsewhere.test",)


@pytest.mark.anyio
async def test_nobody_there_is_a_not_sent_error(nowhere, nowhere_tls):
    dead = nowhere.replace("http://", "https://")
    for url, timeout in ((dead, 60.0), (nowhere_tls, 0.05)):
        with pytest.raises(NotSentError, match="certificate could not be fetched"):
            await async_fetch_certificate(url, timeout=timeout)
        with pytest.raises(NotSentError, match="certificate could not be fetched"):
            fetch_certificate(url, timeout=timeout)
    with pytest.raises(ValueError, match="https"):
        fetch_certificate("http://srs.example.com")
    with pytest.raises(ValueError, match="timeout must"):
        fetch_certificate("https://srs.example.com", timeout=0)


def test_a_server_without_tls_is_a_not_sent_error():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        import threading

        def serve():
            sock, _ = listener.accept()
            with sock:
                sock.recv(1)
                sock.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        thread = threading.Thread(target=serve)
        thread.start()
        with pytest.raises(NotSentError):
            fetch_certificate(f"https://127.0.0.1:{listener.getsockname()[1]}")
        thread.join()


def test_trust_asks_once_and_replaces_an_old_line(tmp_path):
    known = tmp_path / "known_hosts"
    one, other = identity(), identity()
    asked = []

    def confirm(certificate):
        asked.append(certificate)
        return True

    with tls_server(one.context(tmp_path), one.context(tmp_path), other.context(tmp_path)) as server:
        host = f"127.0.0.1:{server.port}"
        assert trust(server.url, known, confirm=confirm) == one.seen
        assert known.read_text() == f"{host} {one.seen.sha256}\n"
        known.write_text(f"# mine\nelse.test {'0' * 64}\n{host} {one.seen.sha1}\n")
        known.chmod(0o640)
        assert trust(server.url, known, confirm=confirm) == one.seen
        assert asked == [one.seen]
        assert trust(server.url, known, confirm=confirm) == other.seen
    assert asked == [one.seen, other.seen]
    assert known.read_text() == f"# mine\nelse.test {'0' * 64}\n{host} {other.seen.sha256}\n"
    if os.name == "posix":
        assert stat.S_IMODE(known.stat().st_mode) == 0o640
    assert sorted(path.name for path in tmp_path.iterdir() if "known" in path.name) == ["known_hosts"]


@pytest.mark.anyio
async def test_what_is_not_confirmed_is_not_written(tmp_path):
    known = tmp_path / "known_hosts"
    one = identity()

    async def no(certificate):
        return certificate == "nothing"

    async def yes(certificate):
        return certificate == one.seen

    with tls_server(one.context(tmp_path)) as server:
        with pytest.raises(CertificateError, match="not confirmed") as caught:
            await async_trust(server.url, known, confirm=no)
        assert caught.value.seen == one.seen
        assert not known.exists()
        with pytest.raises(CertificateError, match="not confirmed"):
            trust(server.url, known, confirm=lambda _: "yes")
        assert not known.exists()
        assert await async_trust(server.url, known, confirm=yes) == one.seen
    assert known.exists()


def test_a_link_stays_one_and_a_mark_at_the_beginning_is_no_part_of_a_name(tmp_path):
    if not hasattr(os, "symlink") or os.name != "posix":
        pytest.skip("links need rights there")
    dotfiles = tmp_path / "dotfiles"
    dotfiles.mkdir()
    known = tmp_path / "known_hosts"
    known.symlink_to(dotfiles / "known_hosts")
    one = identity()
    with tls_server(one.context(tmp_path)) as server:
        (dotfiles / "known_hosts").write_text(
            f"\ufeff127.0.0.1:{server.port} {'0' * 64}\nelse.test {'1' * 64}\n", encoding="utf-8"
        )
        trust(server.url, known, confirm=lambda _: True)
        line = f"127.0.0.1:{server.port} {one.seen.sha256}"
        assert known.read_text(encoding="utf-8") == f"else.test {'1' * 64}\n{line}\n"
        assert known.is_symlink()
        known.write_text(f"\ufeff{line}\n", encoding="utf-8")
        assert trust(server.url, known, confirm=lambda _: False) == one.seen


def test_a_missing_folder_is_made_or_the_error_names_the_file(tmp_path):
    one = identity()
    known = tmp_path / "new" / "srs" / "known_hosts"
    plain = tmp_path / "plain"
    plain.write_text("no folder")
    with tls_server(one.context(tmp_path)) as server:
        trust(server.url, known, confirm=lambda _: True)
        assert known.read_text() == f"127.0.0.1:{server.port} {one.seen.sha256}\n"
        with pytest.raises(OSError, match="plain") as caught:
            trust(server.url, plain / "known_hosts", confirm=lambda _: True)
    assert caught.value.filename == str(plain / "known_hosts")


def test_a_file_that_cannot_be_replaced_is_named_and_no_other(tmp_path, monkeypatch):
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", "known_hosts12345.new")

    known = tmp_path / "known_hosts"
    monkeypatch.setattr(tempfile, "mkstemp", full)
    with pytest.raises(OSError, match="known_hosts cannot be written: No space left on device") as caught:
        remember(known, "srs.test", "0" * 64)
    assert caught.value.filename == str(known)

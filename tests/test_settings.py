"""What a client is told is checked where it is given, and refused by the argument's name."""

import math
import traceback

import attrs
import pytest

from srs_vsphere._validation import check_timeout
from srs_vsphere.auth import ApiKeyAuth, BasicAuth
from srs_vsphere.credential_sources import EnvAuth
from srs_vsphere.retry import RetryPolicy
from srs_vsphere.settings import Origin, Timeouts, check_arguments, check_auth, is_password_safe
from srs_vsphere.tls import Tls


@pytest.mark.parametrize(
    ("url", "origin", "host"),
    [
        ("https://srs.example.com", "https://srs.example.com", "srs.example.com"),
        ("https://srs.example.com/", "https://srs.example.com", "srs.example.com"),
        ("HTTPS://SRS.Example.com:8443", "https://srs.example.com:8443", "srs.example.com:8443"),
        ("http://srs_1:5050/", "http://srs_1:5050", "srs_1:5050"),
        ("https://srs.example.com.:443", "https://srs.example.com.:443", "srs.example.com.:443"),
        ("https://10.0.0.1:65535", "https://10.0.0.1:65535", "10.0.0.1:65535"),
        ("https://[2001:DB8::1]", "https://[2001:db8::1]", "[2001:db8::1]"),
        ("https://[::1]:8443/", "https://[::1]:8443", "[::1]:8443"),
        ("https://[fe80::1%eth0]:1", "https://[fe80::1%eth0]:1", "[fe80::1%eth0]:1"),
        ("https://bücher.example", "https://xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("https://xn--bcher-kva.example", "https://xn--bcher-kva.example", "xn--bcher-kva.example"),
    ],
)
def test_origins(url, origin, host):
    parsed = Origin.parse(url)
    assert (parsed.url, parsed.host, parsed.secure) == (origin, host, origin.startswith("https:"))
    assert Origin.parse(parsed.url) == parsed


#: What is said of a URL, and URLs of which it is said.
REFUSALS = """
must begin with https | srs srs:443 //srs ftp://srs file:///etc https 10.0.0.1 ::1 http+unix://srs https//srs
names no host | https:// https:/// https:srs https://:443 https:///srs
impossible host or port | https://srs:0 https://srs:65536 https://srs:-1 https://srs:+1 https://srs:x https://srs:٣
impossible host or port | https://srs:1:2 https://::1 https://[::1 https://[10.0.0.1] https://[srs] https://[v1.x]
impossible host or port | https://[::g] https://256.1.1.1 https://a..b https://. https://.srs https://ⅷ.example
impossible host or port | https://s,t https://* https://s\\t https://s%2ft https://s;t https://s' https://s|t
path, query or fragment | https://srs/api https://srs// https://srs/? https://srs?a=b https://srs# https://srs/..
"""


@pytest.mark.parametrize(
    ("complaint", "url"),
    [
        *[
            (complaint, url)
            for complaint, urls in (line.split(" | ") for line in REFUSALS.strip().splitlines())
            for url in urls.split()
        ],
        ("must begin with https", ""),
        ("impossible host or port", "https://" + "a" * 64),
        ("impossible host or port", "https://" + "a." * 127 + "b"),
        *[
            ("spaces or control characters", f"{before}https://s{within}rs{after}")
            for odd in (" ", "\n", "\t", "\x00", "\x7f", "\u200b", "\u3000", "\ud800")
            for before, within, after in ((odd, "", ""), ("", odd, ""), ("", "", odd))
        ],
    ],
)
def test_an_impossible_url_is_refused(complaint, url):
    with pytest.raises(ValueError, match=rf"^url .*{complaint}") as caught:
        Origin.parse(url)
    assert caught.value.__context__ is None


@pytest.mark.parametrize(
    "url",
    [
        "https://alice:hunter2@srs",
        "https://hunter2@srs",
        "https://:hunter2@srs",
        "https://alice:hunter2@srs:99999",
        "https://alice:hunter2@srs/path?query",
        "https://alice:hunter2@",
        "https://alice:hunter2",
        "https://alice:hunter2@[::1",
        "alice:hunter2@srs",
        "https://srs/hunter2",
        "https://srs?password=hunter2",
        "https://srs hunter2",
    ],
)
def test_no_refusal_repeats_what_may_be_a_password(url):
    with pytest.raises(ValueError, match=r"^url ") as caught:
        Origin.parse(url)
    assert "hunter2" not in "".join(traceback.format_exception(caught.value, chain=True))
    assert caught.value.__context__ is caught.value.__cause__ is None


@pytest.mark.parametrize("url", ["https://@srs", "https://a@srs", "https://a:b@srs"])
def test_credentials_are_told_where_they_belong(url):
    with pytest.raises(ValueError, match=r"auth=BasicAuth\(username, password\)"):
        Origin.parse(url)


@pytest.mark.parametrize("url", [None, 5, b"https://srs", ["https://srs"]])
def test_an_url_is_text(url):
    with pytest.raises(TypeError, match=r"^url must be text"):
        Origin.parse(url)


@pytest.mark.parametrize("name", [field.name for field in attrs.fields(Timeouts)])
def test_timeouts_are_positive_numbers(name):
    assert getattr(Timeouts(**{name: 3}), name) == 3
    for value in (0, -1, -0.5, math.nan, math.inf, 10**400):
        with pytest.raises(ValueError, match=rf"^{name} must be"):
            Timeouts(**{name: value})
    for value in (None, "5", True, [5]):
        with pytest.raises(TypeError, match=rf"^{name} must be"):
            Timeouts(**{name: value})


def test_defaults_are_those_of_the_docstring():
    for field in attrs.fields(Timeouts):
        documented = Timeouts.__doc__.split(f" {field.name}: ")[1].split("default ")[1]
        assert float(documented.split(".")[0]) == field.default, field.name


def test_patience():
    for seconds in (None, 0, 0.5, 1e9):
        check_timeout("timeout", seconds)
    for seconds in (-1, math.nan, math.inf, 10**400):
        with pytest.raises(ValueError, match=r"^timeout must be"):
            check_timeout("timeout", seconds)
    for seconds in (True, "5"):
        with pytest.raises(TypeError, match=r"^timeout must be"):
            check_timeout("timeout", seconds)


GOOD = {
    "retry": RetryPolicy(),
    "timeouts": Timeouts(),
    "tls": Tls(),
    "max_connections": 1,
    "on_retry": None,
}


@pytest.mark.parametrize(
    "good",
    [
        {},
        {"on_retry": print},
        {"max_connections": 10_000},
    ],
)
def test_good_arguments(good):
    check_arguments(**GOOD | good)


@pytest.mark.parametrize(
    ("bad", "error"),
    [
        *[
            ({name: wrong}, TypeError)
            for name in ("retry", "timeouts", "tls")
            for wrong in (None, 5, True, object())
        ],
        *[({"max_connections": wrong}, TypeError) for wrong in (None, 1.0, "1", True)],
        *[({"max_connections": wrong}, ValueError) for wrong in (0, -1)],
        *[({"on_retry": wrong}, TypeError) for wrong in (5, "print")],
    ],
)
def test_bad_arguments_are_refused_by_name(bad, error):
    (name,) = bad
    with pytest.raises(error, match=rf"^{name} must be"):
        check_arguments(**GOOD | bad)


def test_credentials_are_of_a_known_kind():
    for good in (None, BasicAuth("a", "b"), ApiKeyAuth("k"), EnvAuth()):
        check_auth(good)
    for wrong in (("a", "b"), "key", BasicAuth, EnvAuth):
        with pytest.raises(TypeError, match=r"^auth must be"):
            check_auth(wrong)


@pytest.mark.parametrize(
    ("url", "tls", "own", "safe"),
    [
        ("https://srs", Tls(), True, True),
        ("https://srs", Tls(verify="never"), True, True),
        ("https://srs", Tls(verify=False), True, False),
        ("https://127.0.0.1", Tls(verify=False), True, False),
        ("http://srs", Tls(), True, False),
        ("http://10.0.0.1:5050", Tls(), True, False),
        ("http://localhost.example", Tls(), True, False),
        ("http://[2001:db8::1]", Tls(), True, False),
        ("http://srs", Tls(verify="never"), True, True),
        # Where a program's own transport leads is its own affair.
        ("http://srs", Tls(), False, True),
        *[
            (f"http://{host}{port}", Tls(), True, True)
            for host in ("localhost", "srs.localhost", "127.0.0.1", "127.9.9.9", "[::1]")
            for port in ("", ":5050")
        ],
    ],
)
def test_a_password_goes_where_nobody_can_read_it(url, tls, own, safe):
    origin = Origin.parse(url)
    assert is_password_safe(None, origin, tls, own_connections=own) is safe
    if safe:
        assert is_password_safe(BasicAuth("a", "b"), origin, tls, own_connections=own)
    else:
        with pytest.raises(ValueError, match=r'Tls\(verify="never"\)'):
            is_password_safe(BasicAuth("a", "b"), origin, tls, own_connections=own)

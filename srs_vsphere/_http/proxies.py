"""Which proxy the environment names for a server, by the rules of curl and its like."""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Generator
from contextlib import contextmanager
from urllib.request import getproxies, proxy_bypass

import httpx
from attrs import field, frozen

from srs_vsphere._http.address import Address
from srs_vsphere.settings import Origin

_HAS_SCHEME = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*://")
_SCHEMES = frozenset({"http", "https", "socks5", "socks5h"})


@frozen
class EnvironmentProxy:
    """A proxy that the environment names.

    Args:
        variable: the name of the variable, or where else it was found.
        value: its value, which may hold a password.
    """

    variable: str
    value: str = field(repr=False)

    def parsed(self) -> httpx.Proxy:
        """Return the proxy.

        Raises:
            httpx.ProxyError: nothing can be made of the value; the message names the variable, not the value.
        """
        proxy = _read(self.value.strip())
        if proxy is None:
            raise httpx.ProxyError(
                f"{self.variable} is not the URL of a proxy: give it as http://proxy.example.com:3128"
            )
        return proxy

    @contextmanager
    def named(self) -> Generator[None]:
        """Return a context in which whatever fails to connect names the variable."""
        try:
            yield
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            error.args = (f"{str(error) or 'no connection'} (through the proxy that {self.variable} names)",)
            raise


def environment_proxy(address: Address) -> EnvironmentProxy | None:
    """Return the proxy for a server: of its scheme, else the one for all, unless it is excluded."""
    proxies = getproxies()
    scheme = "https" if address.secure else "http"
    for name in (scheme, "all"):
        value = proxies.get(name, "")
        if value.strip():
            break
    else:
        return None
    if is_excluded(address, proxies.get("no", "")):
        return None
    variable = _variable(name)
    if variable is None:
        # Not the environment but the settings of Windows or macOS, which have their own exclusions.
        return None if proxy_bypass(address.host) else EnvironmentProxy("the system's proxy setting", value)
    return EnvironmentProxy(variable, value)


def _read(text: str) -> httpx.Proxy | None:
    bare = not _HAS_SCHEME.match(text)
    try:
        url = httpx.URL(f"http://{text}" if bare else text)
        # What is cut off at a slash was probably meant to be a scheme.
        if url.scheme not in _SCHEMES or (bare and url.path != "/"):
            return None
        Origin.parse(f"http://{url.netloc.decode('ascii')}")
        return httpx.Proxy(url)
    except (httpx.InvalidURL, ValueError):
        return None


def is_excluded(address: Address, no_proxy: str) -> bool:
    """Whether a server is reached without a proxy.

    Args:
        address: of the server.
        no_proxy: names, which include all names below them, IP addresses and networks, each perhaps with a
            port; or ``*`` for everything. Separated by commas or spaces.
    """
    name = (address.server_name or address.host).lower()
    ip = _ip(name)
    for entry in re.split(r"[,\s]+", no_proxy.strip().lower()):
        host, port = _host_and_port(entry)
        if port is not None and port != address.port:
            continue
        if host == "*" or (host and (_is_below(name, host) if ip is None else _holds(host, ip))):
            return True
    return False


def _is_below(name: str, host: str) -> bool:
    domain = host.removeprefix("*").strip(".")
    if not domain.isascii():
        try:
            domain = httpx.URL(f"http://{domain}").raw_host.decode("ascii")
        except httpx.InvalidURL:
            return False
    return bool(domain) and (name == domain or name.endswith(f".{domain}"))


def _holds(host: str, ip: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    try:
        return ip in ipaddress.ip_network(host, strict=False)
    except ValueError:
        return False


def _host_and_port(entry: str) -> tuple[str, int | None]:
    bracketed = re.fullmatch(r"\[([^]]*)\](?::([0-9]+))?", entry)
    named = re.fullmatch(r"([^:]*):([0-9]+)", entry)
    found = bracketed or named
    if found is None:
        return entry, None
    return found[1], int(found[2]) if found[2] else None


def _ip(name: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(name)
    except ValueError:
        return None


def _variable(name: str) -> str | None:
    # Of both spellings, the small one counts.
    for variable in (f"{name}_proxy", f"{name}_PROXY".upper()):
        if os.environ.get(variable):
            return variable
    return None

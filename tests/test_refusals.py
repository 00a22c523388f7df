"""Whatever is refused before it is sent raises an `SrsError` that is a `TypeError` or a `ValueError`, too."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from functools import partial
from math import nan
from pathlib import Path

import httpx
import pytest

import srs_vsphere
from srs_vsphere import (
    ApiKeyAuth,
    AsyncRunspacePool,
    AsyncSrsClient,
    BasicAuth,
    Credential,
    FileAuth,
    InvalidArgumentError,
    RetryPolicy,
    RunspacePool,
    ScriptExecution,
    Secret,
    SignAuth,
    SrsClient,
    SrsError,
    SsoAuth,
    Timeouts,
    Tls,
    from_dict,
)
from srs_vsphere.fleet import SrsFleet, Target, read_targets
from srs_vsphere.results import outcome_of

URL = "https://srs.example.com"


def calling(make: Callable[..., object], *arguments: object, **options: object) -> Callable[[], object]:
    """Give arguments that the types would not let through."""
    return partial(make, *arguments, **options)


REFUSED: list[tuple[Callable[[], object], type[Exception], str]] = [
    (calling(BasicAuth, "", "p"), ValueError, "username"),
    (calling(BasicAuth, "a:b", "p"), ValueError, "username"),
    (calling(BasicAuth, "a", 5), TypeError, "password"),
    (calling(BasicAuth, "a", "\ud800"), ValueError, "password"),
    (calling(ApiKeyAuth, "a b"), ValueError, "key"),
    (calling(FileAuth, "", "file"), ValueError, "username"),
    (calling(SsoAuth, "", "p", "https://vcenter.example.com/sts/STSService"), ValueError, "username"),
    (calling(SignAuth, "<xml/>", b"key"), ValueError, "token"),
    (calling(Credential, 5, "p"), TypeError, "username"),
    (calling(Credential, " ", "p"), ValueError, "username"),
    (calling(Credential, "a", 5), TypeError, "password"),
    (calling(Credential, "a", ""), ValueError, "password"),
    (calling(Tls, ca_file=5), TypeError, "ca_file"),
    (calling(Tls, ca_data="no PEM"), ValueError, "ca_data"),
    (calling(Tls, thumbprint="AB"), ValueError, "thumbprint"),
    (calling(Tls, verify=None), TypeError, "verify"),
    (calling(SrsClient, URL, tls=Tls(ca_data="-----BEGIN nothing")), ValueError, "ca_data"),
    (calling(Timeouts, read=0), ValueError, "read"),
    (calling(Timeouts, read=nan), ValueError, "read must be more than 0 seconds, not nan"),
    (calling(RetryPolicy, deadline="1"), TypeError, "deadline"),
    (calling(AsyncSrsClient, "srs.example.com"), ValueError, "url"),
    (calling(AsyncSrsClient, URL, auth=BasicAuth), TypeError, "auth"),
    (calling(SrsClient, URL, auth=httpx.BasicAuth("a", "p")), TypeError, r"not httpx2?\."),
    (
        calling(RunspacePool, AsyncSrsClient(URL)),
        TypeError,
        "client must be of SrsClient, not AsyncSrsClient",
    ),
    (
        calling(AsyncRunspacePool, SrsClient(URL)),
        TypeError,
        "client must be of AsyncSrsClient, not SrsClient",
    ),
    (calling(SrsClient(URL).run, "param($A)", parameters={"$A": 1}), ValueError, r"without the \$ before it"),
    (calling(SrsClient(URL).run, "param($A)", parameters={"-A": 1}), ValueError, "without the - before it"),
    (
        calling(SrsClient(URL).run, "param($A)", parameters={"A": Secret(5)}),
        TypeError,
        "a Secret that holds int, not text",
    ),
    (calling(from_dict, int, {}), TypeError, "cls must be a model of this package, not <class 'int'>"),
    (calling(Target, 5, URL), TypeError, "name"),
    (calling(Target, "a", "srs.example.com"), ValueError, "url"),
    (calling(Target, "a", URL, labels={"a": 5}), TypeError, "labels"),
    (calling(SrsFleet, []), ValueError, "targets"),
    (calling(SrsFleet, [URL]), TypeError, "targets"),
    (calling(SrsFleet, Target("a", URL)), TypeError, r"give \[target\]"),
    (calling(SrsFleet, [Target("a", URL)], concurrency=0), ValueError, "concurrency"),
    (calling(outcome_of, ScriptExecution("id"), ()), ValueError, "not ended"),
]


@pytest.mark.parametrize(("make", "kind", "named"), REFUSED)
def test_what_is_refused_is_an_error_of_ours_and_of_pythons(
    make: Callable[[], object], kind: type[Exception], named: str
) -> None:
    with pytest.raises(SrsError, match=named) as caught:
        make()
    assert isinstance(caught.value, kind)
    assert isinstance(caught.value, InvalidArgumentError)


def test_a_file_of_targets_is_refused_with_one_advice(tmp_path: Path) -> None:
    file = tmp_path / "hosts.csv"
    file.write_text("name,url\na,srs.example.com\n", encoding="utf-8")
    with pytest.raises(InvalidArgumentError, match="line 2: url must begin") as caught:
        read_targets(file)
    assert isinstance(caught.value, ValueError)
    assert str(caught.value).count("correct the argument") == 1


#: What no caller gave: blocks used in the wrong way, what cannot be pickled, copied or hashed; and what is
#: caught within the package.
_NO_ARGUMENT = re.compile(
    "enter it first|is not pickled|cannot be hashed|has no place in a snapshot|is closed|holds no certificate"
)
#: Readers whose errors become a DecodeError, and the command's own conversions.
_WITHIN = {"_codec", "cli", "simulator"}


def test_no_argument_is_refused_with_an_error_of_pythons_alone() -> None:
    package = Path(srs_vsphere.__file__).parent
    found: list[str] = []
    for file in sorted(package.rglob("*.py")):
        place = file.relative_to(package)
        if place.parts[0] in _WITHIN:
            continue
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and node.func.id in {"TypeError", "ValueError"}
                and not _NO_ARGUMENT.search(ast.unparse(node))
            ):
                found.append(f"{place}:{node.lineno}: {ast.unparse(node)}")
    assert found == []

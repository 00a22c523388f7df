"""The rows of operations: what may be repeated, and paths that lead to the one resource that is meant."""

import urllib.parse

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from srs_vsphere import InvalidArgumentError
from srs_vsphere._service import operations
from srs_vsphere._service.operations import RUNSPACES_GET, Operation

ROWS = [row for row in vars(operations).values() if isinstance(row, Operation)]
ROWS += operations.SCRIPT_EXECUTIONS_STREAMS.values()


def test_only_creating_must_not_happen_twice():
    assert len(ROWS) > 20
    for row in ROWS:
        assert row.idempotent is not row.name.endswith(".create"), row.name
        assert row.needs_key is (row.name not in {"about", "auth.login"}), row.name
        assert row.path.startswith("/api/")
        assert row.method in {"GET", "POST", "DELETE"}


@pytest.mark.parametrize(
    ("id", "sent"),
    [
        ("pcli-2f0c", "pcli-2f0c"),
        ("%2e%2e", "%252e%252e"),
        ("...", "..."),
        ("a b?c#d;e&f=g", "a%20b%3Fc%23d%3Be%26f%3Dg"),
        ("é☺", "%C3%A9%E2%98%BA"),
        ("a\nb\x00", "a%0Ab%00"),
        ("{id}", "%7Bid%7D"),
    ],
)
def test_ids_are_sent_percent_encoded(id, sent):
    assert RUNSPACES_GET.path_for(id) == f"/api/runspaces/{sent}"
    assert operations.SCRIPT_EXECUTIONS_CANCEL.path_for(id) == f"/api/script-executions/{sent}/cancel"


@given(
    st.text(st.characters(exclude_characters="/\\", codec="utf-8"), min_size=1).filter(
        lambda text: text.strip() and text not in {".", ".."}
    )
)
def test_any_id_is_one_segment_of_what_httpx_sends(id):
    path = RUNSPACES_GET.path_for(id)
    assert httpx.URL(f"https://srs{path}").raw_path.decode() == path
    assert path.count("/") == 3
    assert urllib.parse.unquote(path.rpartition("/")[2], errors="strict") == id


@pytest.mark.parametrize(
    ("id", "error"),
    [
        *[(wrong, TypeError) for wrong in (None, 5, b"pcli-1", ["a"], True)],
        *[(wrong, ValueError) for wrong in ("", " ", "\t\n", "\u3000", ".", "..", "a\ud800", "é" * 1000)],
        *[(wrong, ValueError) for wrong in ("a/b", "../auth/logout", "a/..", "a\\b", "..\\..\\admin")],
    ],
)
def test_refusals_name_the_id(id, error):
    with pytest.raises(error, match=r"^id must") as caught:
        RUNSPACES_GET.path_for(id)
    assert isinstance(caught.value, InvalidArgumentError)

"""Write the sync twins of the async code, line by line; with --check only say whether they are as written.

The rules below are all there is to it. A rule that no line needs is an error, so the list stays honest.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent

#: Folders of async code, and where their twins go.
TWINS = {
    "srs_vsphere/_async": "srs_vsphere/_sync",
    "tests/_async": "tests/_sync",
}

RULES = [
    # What docstrings say of either client.
    (r"for one event loop\.", "safe to share between threads."),
    (
        r"as coroutines: written by hand, .* is generated",
        "as plain calls: generated from ``_async``",
    ),
    # Modules and names.
    (r"make_async_http", "make_http"),
    (r"\basync_(fetch_certificate|trust)\b", r"\1"),
    (r"await server\.wait_idle_async", "server.wait_idle"),
    (r"\basync_clean_up\b", "clean_up"),
    (r"_async\b", "_sync"),
    (r"httpx\.AsyncByteStream", "httpx.SyncByteStream"),
    (r"httpx\.Async(\w+)", r"httpx.\1"),
    (r"\bhandle_async_request\b", "handle_request"),
    (r"\bAsync(Iterator|Iterable|Generator|ContextManager)\b", r"\1"),
    (r"\bAsync([A-Z]\w+)", r"\1"),
    (r"Awaitable\[((?:[^][]|\[[^][]*\])*)\]", r"\1"),
    (r"\bAwaitable, ", ""),
    (r"StopAsyncIteration", "StopIteration"),
    (r"__a(enter|exit|iter|next)__", r"__\1__"),
    (r"\baclose\b", "close"),
    (r"\baiter_(\w+)", r"iter_\1"),
    (r"await anyio\.lowlevel\.checkpoint\(\)", "pass"),
    # The language.
    (r"\banext\(", "next("),
    (r"\ban (`*)async with\b", r"a \1with"),
    (r"\basync (def|with|for)\b", r"\1"),
    (r"\bawait ", ""),
    # Tests.
    (r"^@pytest\.mark\.anyio\n", "\n"),
]


def translate(text: str, used: set[str]) -> str:
    """Return the sync twin of a module's text; note which rules it took."""
    lines = []
    for line in text.splitlines(keepends=True):
        for pattern, replacement in RULES:
            changed = re.sub(pattern, replacement, line)
            if changed != line:
                used.add(pattern)
            line = changed
        lines.append(line)
    return "".join(lines)


def main() -> int:
    """Write or check all twins."""
    check = "--check" in sys.argv[1:]
    used: set[str] = set()
    stale: list[str] = []
    for source_folder, twin_folder in TWINS.items():
        sources = {path.name: path for path in sorted((ROOT / source_folder).glob("*.py"))}
        if not sources:
            continue
        twins = ROOT / twin_folder
        twins.mkdir(exist_ok=True)
        for name, source in sources.items():
            twin = twins / name
            text = translate(source.read_text(encoding="utf-8"), used)
            if twin.exists() and twin.read_text(encoding="utf-8") == text:
                continue
            stale.append(str(twin.relative_to(ROOT)))
            if not check:
                twin.write_text(text, encoding="utf-8")
        for orphan in [path for path in twins.glob("*.py") if path.name not in sources]:
            stale.append(str(orphan.relative_to(ROOT)))
            if not check:
                orphan.unlink()
    unused = [pattern for pattern, _ in RULES if pattern not in used]
    if unused:
        print("rules that nothing needs:", *unused, sep="\n  ")
    if stale:
        print("out of date:" if check else "written:", *stale, sep="\n  ")
    return 1 if unused or (check and stale) else 0


if __name__ == "__main__":
    sys.exit(main())

"""The text of a script: given as it is, or as the path of a file, in the encodings that PowerShell writes."""

from __future__ import annotations

import codecs
from os import PathLike
from pathlib import Path

from srs_vsphere.errors import InvalidArgumentTypeError, InvalidArgumentValueError

#: The longer marks first: that of UTF-32 begins with that of UTF-16.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


def script_text(script: str | PathLike[str]) -> str:
    """Return the text of a script, without a byte order mark.

    Args:
        script: the text, or the path of a file, which is UTF-8 unless a byte order mark says otherwise. A
            text is never taken for a path.

    Raises:
        InvalidArgumentTypeError: it is neither.
        InvalidArgumentValueError: it is blank, or the file is no text.
        OSError: the file cannot be read.
    """
    if isinstance(script, PathLike):
        text = decoded(Path(script).read_bytes(), f"script {Path(script)}")
    elif isinstance(script, str):
        text = script.removeprefix("\ufeff")
    else:
        raise InvalidArgumentTypeError(f"script must be text or a path, not {type(script).__name__}")
    if not text.strip():
        raise InvalidArgumentValueError("script must not be blank")
    return text


def decoded(content: bytes, name: str) -> str:
    """Return the text of a file, without a byte order mark.

    Args:
        content: what is in the file: UTF-8 unless a byte order mark says otherwise.
        name: what to call it in the error.

    Raises:
        InvalidArgumentValueError: it is no text.
    """
    mark, encoding = next(
        ((mark, known) for mark, known in _MARKS if content.startswith(mark)), (b"", "utf-8")
    )
    try:
        text = content[len(mark) :].decode(encoding)
    except UnicodeDecodeError as error:
        problem = f"it is not {encoding.upper()}: {error.reason} at byte {error.start + len(mark)}"
    else:
        if "\0" not in text:
            return text
        problem = "it holds zero bytes, as UTF-16 without a byte order mark does"
    raise InvalidArgumentValueError(f"{name} cannot be read: {problem}; save it as UTF-8")

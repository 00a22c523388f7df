"""Looks for secrets in all that the suite lets out: ``python -m pytest -p tests.secret_watch``.

What a test uses as password, key, token, signature or hidden parameter is noted where it comes into being, in
the client and in the simulator, and so are scripts. At the test's end they are looked for in the log of every
logger, in events and spans, in exceptions with the variables of all frames that are not a test's own, in
reprs of what the package holds, in pickles, in files that the package wrote, and in what was printed. A test
that lets one out on purpose says so: ``@pytest.mark.lets_out("why")``.
"""

from __future__ import annotations

import gc
import json
import logging
import os
import pickle
import re
import stat
import subprocess
import sys
import traceback
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any
from uuid import uuid4

import pytest
from opentelemetry.sdk.trace.export import SimpleSpanProcessor

import srs_vsphere
from srs_vsphere import BasicAuth, SrsError
from srs_vsphere._async.observer import AsyncObserver
from srs_vsphere._codec.rsa_key import HiddenBytes
from srs_vsphere._service.event_log import log_fields
from srs_vsphere._service.script_request import Job
from srs_vsphere._sync.observer import Observer
from srs_vsphere.secret import Secret
from srs_vsphere.simulator.sessions import Sessions
from srs_vsphere.simulator.users import Users

#: Shorter ones stand by chance in other texts, too.
_SHORTEST = 8
_SHORTEST_SCRIPT = 16
_GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_PACKAGE = str(Path(srs_vsphere.__file__).parent)
_TESTS = str(Path(__file__).parent)
#: Neither is the client: the simulator knows every secret, as the service does.
_OTHERS = tuple(str(Path(_PACKAGE) / name) for name in ("simulator", "pytest_plugin.py"))
#: Belongs to its user alone, and is there to keep keys.
_SESSION_FILE = str(Path(_PACKAGE) / "_service" / "session_file.py")
#: Measures which way a request takes, and that is another one where somebody listens.
_OF_THE_ROAD = "test_road.py"


class Secrets:
    """What is looked for: secrets nowhere, scripts where a program's log or its errors would show them."""

    def __init__(self) -> None:
        self.lasting: set[str] = set()
        self.passing: set[str] = set()
        self.scripts: set[str] = set()
        #: What is hidden at first only because it might be one.
        self.names: set[str] = set()
        #: What a test allows to be pickled.
        self.pickled: set[str] = set()
        self.in_call = False

    def note(self, value: object) -> None:
        if isinstance(value, bytes):
            value = value.decode("latin-1")
        if not isinstance(value, str):
            return
        for part in {value, value.removeprefix("Basic ")}:
            if len(part) >= _SHORTEST and part not in self.names:
                (self.passing if self.in_call else self.lasting).add(part)

    def note_script(self, text: object) -> None:
        if isinstance(text, str) and len(text) >= _SHORTEST_SCRIPT:
            self.scripts.add(text)

    def name(self, value: str) -> None:
        self.names.add(value)
        self.lasting.discard(value)
        self.passing.discard(value)

    def found_in(self, text: str, *, scripts: bool) -> list[str]:
        guids = set(_GUID.findall(text))
        wanted = self.lasting | self.passing
        found = [
            each
            for each in wanted
            if (each in guids if _GUID.fullmatch(each) else any(form in text for form in _forms(each)))
        ]
        if scripts:
            found += [each for each in self.scripts if any(form in text for form in _forms(each))]
        return found


def _forms(text: str) -> set[str]:
    """Return a text as it is, and as reprs and JSON write it."""
    return {text, repr(text)[1:-1], json.dumps(text)[1:-1]}


class Watch:
    """What a test let out so far."""

    def __init__(self) -> None:
        self.secrets = Secrets()
        self.texts: list[tuple[str, str, bool]] = []
        self.files: dict[str, str] = {}
        self.busy = False

    def begin(self) -> None:
        self.texts.clear()
        self.files.clear()
        self.secrets.passing.clear()
        self.secrets.scripts.clear()

    def look(self, where: str, text: object, *, scripts: bool = False) -> None:
        if isinstance(text, bytes):
            text = text.decode("latin-1")
        if text and not self.busy:
            self.texts.append((where, str(text), scripts))

    def look_at_error(self, error: BaseException) -> None:
        self.look(f"{type(error).__name__} with variables", _with_variables(error), scripts=True)
        if isinstance(error, SrsError):
            self.look(f"variables of {type(error).__name__}", _repr(vars(error)))
            with self._aside():
                try:
                    pickled = pickle.dumps(error)
                except Exception:  # what cannot be pickled shows nothing
                    pickled = b""
            self.look(f"pickle of {type(error).__name__}", pickled)

    def look_at_everything(self) -> None:
        with self._aside():
            everything = gc.get_objects()
            # By class first, since there are few of them and half a million objects.
            kinds = {kind for kind in set(map(type, everything)) if _is_ours(kind.__module__)}
            ours = [each for each in everything if type(each) in kinds]
            shown = [(f"repr of {type(each).__name__}", _repr(each)) for each in ours]
        for where, text in shown:
            self.look(where, text)
        for path, writer in self.files.items():
            file = Path(path)
            if not file.is_file():
                continue
            private = os.name != "posix" or not stat.S_IMODE(file.stat().st_mode) & 0o077
            if not (writer == _SESSION_FILE and private):
                self.look(f"file {path}, written by {writer}", file.read_bytes(), scripts=True)

    def leaks(self) -> list[str]:
        leaks = []
        for where, text, scripts in dict.fromkeys(self.texts):
            for found in self.secrets.found_in(text, scripts=scripts):
                if where == "a pickle" and found in self.secrets.pickled:
                    continue
                at = max(0, min(text.find(form) for form in _forms(found) if form in text) - 200)
                leaks.append(f"{where} shows {found[:60]!r}: ...{text[at : at + 400]!r}...")
        return leaks

    @contextmanager
    def _aside(self) -> Iterator[None]:
        self.busy = True
        try:
            yield
        finally:
            self.busy = False


watch = Watch()


def _is_ours(module: object) -> bool:
    name = str(module)
    return name.startswith("srs_vsphere.") and not name.startswith(
        ("srs_vsphere.simulator", "srs_vsphere.pytest_plugin")
    )


def _repr(thing: object) -> str:
    try:
        return repr(thing)
    except Exception:  # some tests make what cannot be shown, and some libraries, too
        return ""


def _with_variables(error: BaseException) -> str:
    left: list[BaseException | None] = [error]
    seen, texts = set[int](), list[str]()
    with watch._aside():
        while left:
            found = left.pop()
            if found is None or id(found) in seen:
                continue
            seen.add(id(found))
            texts += traceback.format_exception_only(found)
            for frame, _ in traceback.walk_tb(found.__traceback__):
                file = frame.f_code.co_filename
                if not file.startswith((_TESTS, *_OTHERS)) and "_pytest" not in file:
                    variables = {name: _repr(value) for name, value in frame.f_locals.items()}
                    texts.append(f"{file}:{frame.f_code.co_name} {variables}")
            left += [found.__cause__, found.__context__, *getattr(found, "exceptions", ())]
    return "\n".join(texts)


class _Handler(logging.Handler):
    """Takes every record of every logger, with its extra fields."""

    def emit(self, record: logging.LogRecord) -> None:
        extra = {name: value for name, value in vars(record).items() if name.startswith("srs_")}
        traced = logging.Formatter().formatException(record.exc_info) if record.exc_info else ""
        watch.look(f"log of {record.name}", f"{record.getMessage()} {extra} {traced}", scripts=True)


class _Span:
    """A span that shows what it is told, and passes it on."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def set(self, attributes: Any) -> None:
        watch.look("a span's attributes", dict(attributes), scripts=True)
        if self._inner is not None:
            self._inner.set(attributes)

    def fail(self, error: str) -> None:
        watch.look("a span's error", error, scripts=True)
        if self._inner is not None:
            self._inner.fail(error)


class _Telemetry:
    """Listens to every client, beside the telemetry that a test gave it."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    @contextmanager
    def span(self, name: str, attributes: Any, *, client: bool = False) -> Generator[_Span]:
        watch.look(f"span {name}", dict(attributes), scripts=True)
        if self._inner is None:
            yield _Span(None)
            return
        with self._inner.span(name, attributes, client=client) as inner:
            yield _Span(inner)

    def record(self, event: Any) -> None:
        watch.look("an event", f"{event!r} {log_fields(event)}", scripts=True)
        if self._inner is not None:
            self._inner.record(event)


def _after(owner: Any, name: str, then: Callable[..., object]) -> None:
    """Have something done with the result and the arguments of each call of a function."""
    inner = getattr(owner, name)

    def called(*args: Any, **options: Any) -> Any:
        result = inner(*args, **options)
        then(result, *args, **options)
        return result

    setattr(owner, name, called)


def _before(owner: Any, name: str, first: Callable[..., object]) -> None:
    """Have something done with the arguments of each call of a function, before it may raise."""
    inner = getattr(owner, name)

    def called(*args: Any, **options: Any) -> Any:
        first(*args, **options)
        return inner(*args, **options)

    setattr(owner, name, called)


def _on_audit(event: str, args: tuple[Any, ...]) -> None:
    if event == "open" and isinstance(args[0], str) and isinstance(args[2], int):
        if args[2] & (os.O_WRONLY | os.O_RDWR):
            _note_file(args[0])
    elif event == "os.rename":
        _note_file(os.fspath(args[1]))


def _note_file(path: object) -> None:
    frame = sys._getframe(2)
    for _ in range(8):
        file = frame.f_code.co_filename
        if file.startswith(_PACKAGE) and not file.startswith(_OTHERS):
            watch.files[os.path.abspath(os.fsdecode(path))] = file
            return
        if frame.f_back is None:
            return
        frame = frame.f_back


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    """Begin to note secrets and what is let out."""
    config.addinivalue_line("markers", "lets_out(why): shows a secret on purpose")
    note = watch.secrets.note
    _before(Secret, "__init__", lambda _, value: _note_secret(value, sys._getframe(2)))
    _before(HiddenBytes, "__init__", lambda _, argument, given: note(given))
    _before(Users, "__init__", lambda _, passwords: [note(each) for each in passwords.values()])
    _after(Sessions, "open", lambda session, sessions, _: _note_key(sessions, session))
    _after(Job, "__init__", lambda _, job, *args, **options: _note_job(job))
    for observer in (Observer, AsyncObserver):
        _after(observer, "__init__", lambda _, made, *args, **options: _listen(made))
    _before(SimpleSpanProcessor, "on_end", lambda _, span: watch.look("a span", span.to_json(), scripts=True))
    _before(pytest.RaisesExc, "__exit__", lambda _, kind, error, traced: error and watch.look_at_error(error))
    _after(pytest.CaptureFixture, "readouterr", lambda shown, *_: watch.look("what was printed", shown))
    _after(
        subprocess.Popen, "communicate", lambda shown, *_, **options: watch.look("a program's output", shown)
    )
    _after(pickle, "dumps", lambda pickled, *_, **options: watch.look("a pickle", pickled))
    sys.addaudithook(_on_audit)
    logging.getLogger().addHandler(_Handler())
    for name in (None, "srs_vsphere", "httpx", "httpcore"):
        logging.getLogger(name).setLevel(logging.DEBUG)
    # Tests of what is logged see what they would see without this.
    config.pluginmanager.get_plugin("logging-plugin").caplog_handler.setLevel(logging.WARNING)


def _note_secret(value: object, maker: FrameType) -> None:
    if maker.f_code is BasicAuth.__init__.__code__ and value is maker.f_locals.get("username"):
        watch.secrets.name(str(value))
        return
    # Made by a function of its own, which the credentials call.
    credentials = maker.f_back
    if maker.f_code.co_name == "_with_pickle" or (
        credentials is not None
        and credentials.f_code is BasicAuth.__init__.__code__
        and credentials.f_locals.get("allow_pickle")
    ):
        watch.secrets.pickled.add(str(value))
    watch.secrets.note(value)


def _note_key(sessions: Any, session: Any) -> None:
    # The simulator's own keys are the same in every test, and the same as ids of another.
    del sessions._by_key[session.key]
    session.key = str(uuid4())
    sessions._by_key[session.key] = session
    watch.secrets.note(session.key)


def _note_job(job: Job) -> None:
    for text in (job.script, job.body.get("script")):
        watch.secrets.note_script(text)


def _listen(observer: Any) -> None:
    observer._telemetry = _Telemetry(observer._telemetry)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.name == _OF_THE_ROAD:
            item.add_marker(pytest.mark.skip(reason="somebody listens, and requests go another way"))


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    watch.begin()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    watch.secrets.in_call = True
    try:
        return (yield)
    finally:
        watch.secrets.in_call = False


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if call.when == "call" and watch.secrets.passing:
        # While the test's own objects are still there.
        watch.look_at_everything()
    if call.when == "teardown":
        for name, text in report.sections:
            if "log" not in name:
                watch.look(name, text)
        leaks = [] if item.get_closest_marker("lets_out") else watch.leaks()
        if leaks:
            report.outcome = "failed"
            report.longrepr = "\n".join(["secrets were let out", *leaks[:20]])
    return report

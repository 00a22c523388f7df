"""Commands on many hosts at once."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Generic, TypeVar

from attrs import evolve
from cyclopts import Parameter

from srs_vsphere._validation import words_of
from srs_vsphere.cli.connection import settings
from srs_vsphere.cli.console import write_data
from srs_vsphere.cli.data import to_json
from srs_vsphere.cli.durations import Duration
from srs_vsphere.cli.fleet_views import EVENT, REPORT, RESULT, code_of, event_line
from srs_vsphere.cli.live_table import can_be_shown, show_live
from srs_vsphere.cli.options import DEFAULTS, Options, Shared
from srs_vsphere.cli.problems import ExitCode, UsageError
from srs_vsphere.cli.progress import Advance, progress
from srs_vsphere.cli.script_source import NO_SCRIPT, File, Script, parameters, script_text
from srs_vsphere.cli.showing import View, show_list
from srs_vsphere.cli.signals import run_until_signal
from srs_vsphere.errors import SrsError
from srs_vsphere.fleet import FleetEvent, HostReport, SrsFleet, Target, read_targets
from srs_vsphere.tls import Tls

if TYPE_CHECKING:
    from distributed import Client

T = TypeVar("T")

Hosts = Annotated[Path, Parameter(name=("--file", "-f"))]
Dask = Annotated[str | None, Parameter(name="--dask")]

_HOST_TIMEOUT = 10.0
_SCRIPT_TIMEOUT = 3600.0


def poll(*, file: Hosts, dask: Dask = None, options: Shared = DEFAULTS) -> int:
    """Ask every host for its runspaces once.

    Args:
        file: the hosts: a .csv or .toml file.
        dask: address of a Dask scheduler whose workers ask; they need SRS_USERNAME and SRS_PASSWORD.
    """
    targets, timeout = _targets(file, options), options.timeout or _HOST_TIMEOUT
    with _taking("polling", REPORT, targets, options) as taken:
        if dask is not None:
            run_until_signal(_poll_by_dask(targets, dask, timeout, taken.take))
        else:
            with SrsFleet(targets, timeout=timeout) as fleet:
                for report in fleet.poll():
                    taken.take(report)
    return ExitCode.OK if all(report.ok for report in taken.items) else ExitCode.FAILED


def watch(*, file: Hosts, every: Duration = 5.0, dask: Dask = None, options: Shared = DEFAULTS) -> None:
    """Ask every host again and again, and tell what changes, until Ctrl-C.

    Args:
        file: the hosts: a .csv or .toml file.
        every: time between two polls of a host; default 5s.
        dask: address of a Dask scheduler whose workers ask; they need SRS_USERNAME and SRS_PASSWORD.
    """
    targets, timeout = _targets(file, options), options.timeout or _HOST_TIMEOUT

    def tell(event: FleetEvent) -> None:
        if options.output in {"json", "ndjson", "yaml"}:
            write_data([to_json(EVENT.data(event), indent=None)])
        elif line := event_line(event):
            write_data([line])

    if dask is not None:
        run_until_signal(_watch_by_dask(targets, dask, timeout, every, tell))
        return
    with SrsFleet(targets, timeout=timeout) as fleet, fleet.watch(interval=every) as events:
        if can_be_shown(options):
            show_live(events, events.snapshot, [target.name for target in targets], event_line, options)
        for event in events:
            tell(event)


def run(
    script_file: File = None,
    /,
    *,
    file: Hosts,
    script: Script = NO_SCRIPT,
    vcenter: bool = False,
    wait_quota: Duration = 0.0,
    journal: Path | None = None,
    options: Shared = DEFAULTS,
) -> int:
    """Run a script on every host, each in a runspace of its own.

    Args:
        script_file: the script; - for standard input.
        file: the hosts: a .csv or .toml file.
        vcenter: connect the runspaces to vCenter as the user who is logged in, which is checked.
        wait_quota: time to wait for room if a service has none.
        journal: a file that notes which hosts are done, and leaves them out the next time.
    """
    text = script_text(script_file, script.command, stdin_is_taken=options.password_stdin)
    values = parameters(script)
    targets = _targets(file, options)
    with _taking("running", RESULT, targets, options) as taken, SrsFleet(targets) as fleet:
        results = fleet.run(
            text,
            parameters=values,
            journal=journal,
            timeout=options.timeout or _SCRIPT_TIMEOUT,
            run_vc_connection_script=vcenter,
            wait_for_quota=wait_quota,
        )
        for result in _journalled(results, taken):
            taken.take(result)
    codes = {code_of(result) for result in taken.items}
    return next(
        (code for code in (ExitCode.FAILED, ExitCode.SUCCEEDED_WITH_ERRORS) if code in codes), ExitCode.OK
    )


class _Taken(Generic[T]):
    """Takes what comes of each host: one object a line goes out at once, all else at the end.

    Args:
        view: how it is shown.
        targets: the hosts.
        options: the command's options.
    """

    def __init__(self, view: View[T], targets: list[Target], options: Options) -> None:
        self.items: list[T] = []
        #: Is told how many there are.
        self.advance: Advance = lambda done: None
        self._view = view
        self._places = {target.name: place for place, target in enumerate(targets)}
        self._options = options

    def take(self, item: T) -> None:
        """Take one.

        Args:
            item: what came of a host.
        """
        self.items.append(item)
        self.advance(len(self.items))
        if self._options.output == "ndjson":
            show_list([item], self._view, self._options)

    def show(self) -> None:
        """Show all of them in the order of the hosts, if they were not shown before."""
        if self._options.output != "ndjson":
            ordered = sorted(self.items, key=lambda item: self._places[self._view.name(item)])
            show_list(ordered, self._view, self._options)


@contextmanager
def _taking(
    what: str, view: View[T], targets: list[Target], options: Options
) -> Generator[_Taken[T], None, None]:
    """Show progress while a block takes what comes of the hosts; and then that, however the block ends."""
    taken = _Taken(view, targets, options)
    try:
        with progress(what, options, total=len(targets)) as taken.advance:
            yield taken
    except BaseException:
        # Such as a Ctrl-C: what the hosts did is done, and a journal leaves them out the next time.
        if taken.items:
            taken.show()
        raise
    taken.show()


def _journalled(results: Iterator[T], taken: _Taken[T]) -> Iterator[T]:
    """Hand out results; what the hosts do is in these, so that what goes wrong is the journal."""
    try:
        yield from results
    except OSError as error:
        if taken.items:
            raise SrsError(
                f"{error.filename} cannot be written: {error.strerror}",
                advice="The hosts that are not shown were not begun: repeat the command with this journal.",
            ) from error
        raise UsageError("--journal", f"{error.filename or 'it'} cannot be used: {error.strerror}") from error
    except ValueError as error:
        raise UsageError("--journal", words_of(error)) from error


def _targets(file: Path, options: Options) -> list[Target]:
    # The hosts have addresses of their own.
    found = settings(evolve(options, url="https://hosts.invalid"))
    try:
        targets = read_targets(file, auth=found.auth)
    except OSError as error:
        raise UsageError("-f", f"{file} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise UsageError("-f", words_of(error)) from error
    return [target if target.tls != Tls() else evolve(target, tls=found.tls) for target in targets]


async def _poll_by_dask(
    targets: list[Target], address: str, timeout: float, take: Callable[[HostReport], None]
) -> None:
    client = await _dask_client(address, timeout)
    from srs_vsphere.fleet.dask import sweep

    async with client, sweep(targets, client=client, timeout=timeout) as reports:
        async for report in reports:
            take(report)


async def _watch_by_dask(
    targets: list[Target], address: str, timeout: float, every: float, tell: Callable[[FleetEvent], None]
) -> None:
    client = await _dask_client(address, timeout)
    from srs_vsphere.fleet.dask import watch

    async with client, watch(targets, client=client, interval=every, timeout=timeout) as events:
        async for event in events:
            tell(event)


async def _dask_client(address: str, timeout: float) -> Client:
    try:
        from distributed import Client
    except ImportError as error:
        raise UsageError("--dask", "this needs the extra: pip install 'srs-vsphere[dask]'") from error
    try:
        client: Client = await Client(address, timeout=timeout, asynchronous=True)
    except (OSError, ValueError) as error:
        raise UsageError("--dask", f"{address} cannot be reached: {error}") from error
    return client

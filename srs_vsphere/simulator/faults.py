"""Faults as data: which calls are hit, and what happens to them.

::

    plan = FaultPlan(seed=7)
    plan.add(Fault(operation="runspaces.list", nth=2, status=503))
    plan.add(Fault(probability=0.01, reset="after"))
    with plan.armed(Fault(refuse=True)):
        ...                                    # nobody listens

A call goes through the faults in the order in which they were added. The first whose turn it is takes the
call; those after it never see it. Every door has a plan as ``door.faults``; doors may share one.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import contextmanager
from fnmatch import fnmatchcase
from random import Random
from typing import Literal, TypeAlias

from attrs import define, field, fields, frozen

from srs_vsphere.simulator._fault_arguments import check_fault, header_pairs, read_fault, to_bytes
from srs_vsphere.simulator.users import subject

Watcher: TypeAlias = Callable[[tuple["Fault", ...]], None]


@frozen(kw_only=True)
class Fault:
    """One thing that goes wrong, and when.

    Which calls (all that are given must hold; none given means every call):

    Args:
        operation: an operation's name, or a pattern such as ``runspaces.*``.
        host: name of the simulated host.
        user: name of the user whose session or login it is.
        nth: the first call that is hit, counted from 1 among those that match; alone it hits that call only.
        times: how many calls are hit at most.
        probability: the chance with which a matching call is hit, from the plan's seed.

    What happens:

    Args:
        refuse: connections are refused. A listening socket cannot count what it refuses, so with a real
            server this lasts until the fault is removed; in process each request counts as a connection.
        reset: ``before`` the request's body is read, or ``after``; it is not carried out unless
            ``lost_answer`` says so.
        delay: seconds by which the answer is held back; the request is carried out at once. On a real
            socket these are real seconds, whatever the simulator's clock does: the client's patience is real.
        trickle: bytes per step and seconds between steps, for the body.
        status: HTTP status answered instead of carrying the request out; 0 gives the line ``HTTP/1.1 0 ``.
        headers: header fields of that answer.
        body: body of that answer; default: the proxy's HTML page for the status.
        content_type: content type to claim instead of the true one.
        cut_after: bytes of the body after which the connection closes.
        bad_utf8: the body holds a byte that no UTF-8 text has.
        lost_answer: the request is carried out but its answer never comes: instead there is ``status`` or
            ``reset="after"`` if given, else silence until the client goes away.
        stale_session: the caller's session has expired, just before the call.
        restart: the gateway restarts just before the call: all sessions and runspaces are gone.
        runspace_death: the runspace that the call names dies just before it, or all of them if it names none.
        slow_creation: seconds by which the runspace created by this call stays ``creating`` longer.
        runspace_unreachable: the runspace that the call names, or all of them if it names none, cannot be
            reached from now on.
        creation_error: text with which this call fails to create a runspace or web console.
        pod_error: text with which the runspace or web console that this call creates ends in ``error``.
        full_quota: the call finds no room for another runspace or web console.

    Raises:
        TypeError: an argument has the wrong type.
        ValueError: an argument has an impossible value, or two of them contradict each other.
    """

    operation: str | None = None
    host: str | None = None
    user: str | None = None
    nth: int | None = None
    times: int | None = None
    probability: float | None = None

    refuse: bool = False
    reset: Literal["before", "after"] | None = None
    delay: float = 0.0
    trickle: tuple[int, float] | None = None
    status: int | None = None
    headers: tuple[tuple[str, str], ...] = field(default=(), converter=header_pairs)
    body: bytes | None = field(default=None, converter=to_bytes)
    content_type: str | None = None
    cut_after: int | None = None
    bad_utf8: bool = False
    lost_answer: bool = False
    stale_session: bool = False
    restart: bool = False
    runspace_death: bool = False
    runspace_unreachable: bool = False
    slow_creation: float | None = None
    creation_error: str | None = None
    pod_error: str | None = None
    full_quota: bool = False

    def __attrs_post_init__(self) -> None:
        check_fault({attribute.name: getattr(self, attribute.name) for attribute in fields(type(self))})

    @classmethod
    def from_json(cls, value: str | bytes | Mapping[str, object]) -> Fault:
        """Make a fault from a JSON object with the same names as the arguments.

        Args:
            value: the JSON text, or what it was parsed to. ``body`` may be a text or any JSON value,
                ``headers`` is an object, ``trickle`` a pair.

        Raises:
            TypeError: a member has the wrong type.
            ValueError: it is not a JSON object, a member is unknown, or the fault is impossible.
        """
        known = [attribute.name for attribute in fields(cls)]
        return cls(**read_fault(value, known))  # type: ignore[arg-type]  # checked there

    def hits(self, *, operation: str | None, user: str | None, host: str) -> bool:
        """Tell whether a call is of the kind that this fault is about.

        Args:
            operation: the call's operation; None for a call that is none.
            user: whose call it is, if known.
            host: name of the host it came to.
        """
        if self.host is not None and self.host != host:
            return False
        if self.user is not None and (user is None or subject(self.user) != subject(user)):
            return False
        if self.slow_creation is not None and operation != "runspaces.create":
            return False
        creating = self.creation_error is not None or self.pod_error is not None or self.full_quota
        if creating and operation not in _CREATIONS:
            return False
        return self.operation is None or (operation is not None and fnmatchcase(operation, self.operation))


_CREATIONS = ("runspaces.create", "web_consoles.create")


@define
class Rule:
    """A fault in a plan, with what it has seen so far.

    Args:
        number: what to remove it by.
        fault: the fault.
        calls: how many matching calls reached it.
        hits: how many of them it took.
    """

    number: int
    fault: Fault
    calls: int = 0
    hits: int = 0
    _dice: dict[str, Random] = field(factory=dict[str, Random], repr=False)

    def takes(self, host: str, seed: int) -> bool:
        """Count a matching call, and tell whether this is one to hit.

        Args:
            host: the host it came to: each has dice of its own, so that their order does not matter.
            seed: the plan's seed.
        """
        fault = self.fault
        self.calls += 1
        times = fault.times if fault.times is not None or fault.nth is None else 1
        if times is not None and self.hits >= times:
            return False
        if fault.nth is not None and self.calls < fault.nth:
            return False
        if fault.probability is not None:
            dice = self._dice.get(host)
            if dice is None:
                dice = self._dice[host] = Random(f"{seed}/{self.number}/{host}")  # noqa: S311 - no secret
            if dice.random() >= fault.probability:
                return False
        self.hits += 1
        return True


class FaultPlan:
    """The faults of one door or several, to be changed from any thread while they run.

    Args:
        faults: those to begin with.
        seed: of the dice for faults with a probability.
    """

    def __init__(self, faults: Iterable[Fault] = (), *, seed: int = 0) -> None:
        self._seed = seed
        # Two locks: a door that is told of a change may be in the middle of a call.
        self._changing = threading.RLock()
        self._counting = threading.Lock()
        self._rules: tuple[Rule, ...] = ()
        self._next = 1
        self._watchers: list[Watcher] = []
        self.extend(faults)

    def __repr__(self) -> str:
        return f"FaultPlan({list(self.faults)!r}, seed={self._seed})"

    @property
    def faults(self) -> tuple[Fault, ...]:
        """The faults in force, in order."""
        return tuple(rule.fault for rule in self._rules)

    @property
    def rules(self) -> tuple[Rule, ...]:
        """The faults in force, each with its number and its counts so far."""
        with self._counting:
            return tuple(Rule(rule.number, rule.fault, rule.calls, rule.hits) for rule in self._rules)

    def add(self, fault: Fault) -> int:
        """Put a fault at the end of the plan; when this returns, it is in force.

        Args:
            fault: the fault.

        Returns:
            The number to remove it by.

        Raises:
            ValueError: a door of this plan cannot do it.
        """
        return self.extend((fault,))[0]

    def extend(self, faults: Iterable[Fault]) -> tuple[int, ...]:
        """Put several faults at the end of the plan, all or none.

        Args:
            faults: the faults.

        Returns:
            The numbers to remove them by.

        Raises:
            ValueError: a door of this plan cannot do one of them.
        """
        with self._changing:
            rules = tuple(Rule(number, fault) for number, fault in enumerate(faults, self._next))
            self._set((*self._rules, *rules))
            self._next += len(rules)
            return tuple(rule.number for rule in rules)

    def assert_all_used(self) -> None:
        """Check that each fault in the plan has hit a call.

        Those with a probability, and refused connections, which a server cannot count, are left out.

        Raises:
            AssertionError: one has hit none; it is named.
        """
        unused = [
            rule.fault
            for rule in self.rules
            if not rule.hits and rule.fault.probability is None and not rule.fault.refuse
        ]
        if unused:
            raise AssertionError(f"faults that have hit no call: {', '.join(map(_shown, unused))}")

    def remove(self, number: int) -> None:
        """Take a fault out; when this returns, it is no longer in force.

        Args:
            number: what `add` returned.

        Raises:
            ValueError: there is no fault of that number.
        """
        with self._changing:
            rest = tuple(rule for rule in self._rules if rule.number != number)
            if len(rest) == len(self._rules):
                raise ValueError(f"number: the plan holds no fault {number}")
            self._set(rest)

    def clear(self) -> None:
        """Take all faults out."""
        with self._changing:
            self._set(())

    @contextmanager
    def armed(self, fault: Fault) -> Generator[None]:
        """Keep a fault in force for the length of a ``with`` block.

        Args:
            fault: the fault.
        """
        number = self.add(fault)
        try:
            yield
        finally:
            if any(rule.number == number for rule in self._rules):
                self.remove(number)

    def choose(
        self, *, operation: str | None, user: str | None, host: str, connecting: bool = False
    ) -> Fault | None:
        """Let the faults look at one call, in order, and return the one that takes it.

        Args:
            operation: the call's operation; None for a call that is none.
            user: whose call it is, if known.
            host: name of the host it came to.
            connecting: whether the call also stands for a connection, which may be refused.
        """
        if not self._rules:
            return None
        with self._counting:
            for rule in self._rules:
                fault = rule.fault
                if fault.refuse and not connecting:
                    continue
                if fault.hits(operation=operation, user=user, host=host) and rule.takes(host, self._seed):
                    return fault
        return None

    def refuses(self, host: str) -> bool:
        """Tell whether a host refuses all connections at present.

        Args:
            host: its name.
        """
        return any(fault.refuse and fault.host in {None, host} for fault in self.faults)

    def watch(self, watcher: Watcher) -> Callable[[], None]:
        """Have a door told of every change before it counts.

        Args:
            watcher: called at once and at each change with all faults; it may raise ValueError to veto.

        Returns:
            A function that ends it.
        """
        with self._changing:
            watcher(self.faults)
            self._watchers.append(watcher)
        return lambda: self._watchers.remove(watcher)

    def _set(self, rules: tuple[Rule, ...]) -> None:
        before, self._rules = self._rules, rules
        told: list[Watcher] = []
        try:
            for watcher in tuple(self._watchers):
                told.append(watcher)
                watcher(self.faults)
        except (ValueError, OSError):
            self._rules = before
            for watcher in told[:-1]:
                watcher(self.faults)
            raise


def _shown(fault: Fault) -> str:
    given = [(each.name, getattr(fault, each.name), each.default) for each in fields(Fault)]
    return f"Fault({', '.join(f'{name}={value!r}' for name, value, default in given if value != default)})"

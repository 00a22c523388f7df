"""Plans of faults: which fault takes a call, and changes to them while calls come.

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
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from random import Random
from typing import TypeAlias

from attrs import define, field, fields

from srs_vsphere.simulator.faults import Fault

Watcher: TypeAlias = Callable[[tuple[Fault, ...]], None]


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

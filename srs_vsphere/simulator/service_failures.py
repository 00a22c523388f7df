"""What tests can let go wrong with the simulated service."""

from __future__ import annotations

from threading import RLock

from srs_vsphere.simulator.checks import check_seconds
from srs_vsphere.simulator.gateway import Gateway
from srs_vsphere.simulator.runspaces import Runspace


class ServiceFailures:
    """The methods of a simulator that let something go wrong.

    Args:
        gateway: the service.
    """

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._lock = RLock()

    def restart(self, *, keep_history: bool = False) -> None:
        """Restart the gateway: sessions, runspaces, web consoles and running scripts are gone.

        Args:
            keep_history: whether the history of scripts is on a disk that stays; in the appliance it is not.
        """
        with self._lock:
            self._gateway.agenda.catch_up()
            self._gateway.restart(keep_history=keep_history)

    def expire_sessions(self) -> None:
        """End all sessions at once: their keys are refused from now on."""
        with self._lock:
            self._gateway.sessions.end_all()

    def kill_runspace(self, id: str) -> None:
        """Let a runspace die: it is not found any more, and the script in it will be given up.

        Args:
            id: its id.

        Raises:
            KeyError: there is no such runspace.
        """
        with self._lock:
            runspace = self._runspace(id)
            runspace.pod.end()
            self._gateway.runspaces.remove(runspace)

    def make_unreachable(self, id: str, reason: str = "Connection refused") -> None:
        """Let nothing get through to a runspace, which goes on reading ``ready``.

        Starting or cancelling a script there is answered with HTTP status 0 and code 1000.

        Args:
            id: its id.
            reason: what the service says about it.

        Raises:
            KeyError: there is no such runspace.
        """
        with self._lock:
            self._runspace(id).pod.unreachable = reason

    def make_reachable(self, id: str) -> None:
        """End what `make_unreachable` began.

        Args:
            id: its id.

        Raises:
            KeyError: there is no such runspace.
        """
        with self._lock:
            self._runspace(id).pod.unreachable = None

    def slow_creation(self, seconds: float, *, times: int | None = 1) -> None:
        """Let the creation of runspaces take longer.

        Args:
            seconds: by how much.
            times: for how many runspaces.

        Raises:
            TypeError: the time is no number.
            ValueError: it is negative or not finite.
        """
        check_seconds("seconds", seconds)
        self._hold("slow_creation", times, str(seconds))

    def fail_creation(self, message: str = "Failed to create pod", *, times: int | None = 1) -> None:
        """Let requests for runspaces and web consoles fail with code 500.

        Args:
            message: what the service says.
            times: for how many requests.
        """
        self._hold("creation_error", times, message)

    def fail_pod(self, reason: str = "failed: ImagePullBackOff", *, times: int | None = 1) -> None:
        """Let runspaces and web consoles be accepted and end up in ``error``.

        Args:
            reason: what the service says about the pod.
            times: for how many of them.
        """
        self._hold("pod_error", times, reason)

    def fail_deletion(self, message: str = "kill failed", *, times: int | None = 1) -> None:
        """Let deletions fail with code 2040 or 2080; the runspace is forgotten all the same.

        Args:
            message: what the service says.
            times: for how many deletions.
        """
        self._hold("deletion_error", times, message)

    def fail_list(self, message: str = "Failed to get pod", *, times: int | None = 1) -> None:
        """Let lists of runspaces and of web consoles fail with code 2035 or 2075.

        Args:
            message: what the service says.
            times: for how many lists.
        """
        self._hold("list_error", times, message)

    def fail_get(self, *, times: int | None = 1) -> None:
        """Let runspaces and web consoles not be found although they are there.

        Args:
            times: for how many requests.
        """
        self._hold("get_error", times)

    def refuse_bearer_token(self, *, times: int | None = 1) -> None:
        """Let the token service refuse what connected runspaces and web consoles need.

        Args:
            times: for how many of them.
        """
        self._hold("token_refused", times)

    def fail_act_as(self, *, times: int | None = 1) -> None:
        """Let SIGN logins be refused after their session was made: 401 with a key that works.

        Args:
            times: for how many logins.
        """
        self._hold("act_as_error", times)

    def fill_quota(self) -> None:
        """Have another user take what is left of the quota, until `clear_conditions` is called."""
        with self._lock:
            self._gateway.agenda.catch_up()
            self._gateway.reserved += max(0, self._gateway.quota_left())

    def clear_conditions(self) -> None:
        """Let nothing go wrong any more that has not gone wrong yet."""
        with self._lock:
            self._gateway.conditions.clear()
            self._gateway.reserved = 0

    def _hold(self, name: str, times: int | None, text: str = "") -> None:
        with self._lock:
            self._gateway.conditions.hold(name, times, text)

    def _runspace(self, id: str) -> Runspace:
        self._gateway.agenda.catch_up()
        runspace = self._gateway.runspaces.find(id)
        if runspace is None:
            raise KeyError(id)
        return runspace

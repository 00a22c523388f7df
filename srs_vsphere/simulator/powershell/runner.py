"""Scripts carried out from beginning to end at once; time passes in them only on paper."""

from __future__ import annotations

import re
from collections.abc import Sequence

from srs_vsphere.simulator.objects.errors import ScriptError, ScriptExit, ScriptReturn
from srs_vsphere.simulator.objects.refusal import NotUnderstoodError
from srs_vsphere.simulator.objects.values import weight
from srs_vsphere.simulator.powershell.machine import Machine
from srs_vsphere.simulator.transcript import Result

#: What Python says of operations that .NET would carry out or refuse in its own way.
_BEYOND = (RecursionError, MemoryError, ArithmeticError, ValueError, TypeError, LookupError, re.error)
_LONGEST = 30_000
_MOST_OUTPUT = 2_000_000
_ARGUMENTS = re.compile(r"\$\{?args\b", re.IGNORECASE)


def run(
    script: str, parameters: Sequence[tuple[str, object]], machine: Machine, *, wrapped: bool = False
) -> Result:
    """Carry out a script with parameters; wrapped, the service gets it as a parameter of another script.

    Raises:
        NotUnderstoodError: it uses what is not known here; what it did before that is to be forgotten.
    """
    # Half of the simulator's import time, which those who run no script need not spend.
    from srs_vsphere.simulator.powershell.arguments import bind
    from srs_vsphere.simulator.powershell.statements import parse

    if len(script) > _LONGEST:
        raise NotUnderstoodError(f"a script of more than {_LONGEST} characters")
    if wrapped and _ARGUMENTS.search(script):
        raise NotUnderstoodError("$args of a script inside of another one")
    result = Result()
    left_over = _MOST_OUTPUT

    def sink(value: object) -> None:
        nonlocal left_over
        left_over -= weight(value, left_over)
        result.output.append((machine.elapsed, value))

    try:
        lines = script.split("\n")
        result.unread = f"line:{len(lines)} char:{len(lines[-1]) + 1}"
        block = parse(script)
        result.unread, result.unbound = "", True
        bind(block, parameters, machine)
        result.unbound = False
        block.run(machine, sink)
    except ScriptError as error:
        result.error = error
    except ScriptExit:
        result.exited = True
    except ScriptReturn:
        pass
    except NotUnderstoodError as error:
        error.line = error.line or machine.line
        raise
    except _BEYOND as error:
        raise NotUnderstoodError(f"{type(error).__name__}: {error}", machine.line) from error
    return result

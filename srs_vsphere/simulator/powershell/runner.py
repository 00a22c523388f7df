"""Scripts carried out from beginning to end at once; time passes in them only on paper."""

from __future__ import annotations

import re
from collections.abc import Sequence

from attrs import define, field

from srs_vsphere.simulator.powershell.errors import NotUnderstoodError, ScriptError, ScriptExit, ScriptReturn
from srs_vsphere.simulator.powershell.machine import Machine, Scope

#: What Python says of operations that .NET would carry out or refuse in its own way.
_BEYOND = (RecursionError, ArithmeticError, ValueError, TypeError, LookupError, re.error)


@define
class Result:
    """What came out of a script.

    Args:
        output: its objects, with the times at which they came.
        error: the text of the exception that ended it.
        exited: whether it was left with ``exit``, which loses its output.
    """

    output: list[tuple[float, object]] = field(factory=list["tuple[float, object]"])
    error: str | None = None
    exited: bool = False


def run(script: str, parameters: Sequence[tuple[str, object]], machine: Machine) -> Result:
    """Carry out a script.

    Args:
        script: its text.
        parameters: names and values.
        machine: what it works on.

    Raises:
        NotUnderstoodError: it uses what is not known here.
    """
    # Half of the simulator's import time, which those who run no script need not spend.
    from srs_vsphere.simulator.powershell.arguments import bind
    from srs_vsphere.simulator.powershell.statements import parse

    result = Result()

    def sink(value: object) -> None:
        result.output.append((machine.elapsed, value))

    # A script runs in the runspace's global scope, so its variables stay.
    scope = Scope(machine)
    try:
        block = parse(script)
        bind(block, parameters, scope)
        block.run(scope, sink)
    except ScriptError as error:
        result.error = error.text
    except ScriptExit:
        result.exited = True
    except ScriptReturn as left:
        for value in left.values:
            sink(value)
    except _BEYOND as error:
        raise NotUnderstoodError(f"{type(error).__name__}: {error}") from error
    return result

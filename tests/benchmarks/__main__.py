"""Run benchmarks: ``python -m tests.benchmarks [NAME ...] [--quick] [--json FILE] [--spec FILE]``."""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path

from tests.benchmarks import decoding, fleet, importing, listening, polling, streaming, sync
from tests.benchmarks.generated import generate
from tests.benchmarks.results import Result, say, surroundings

_BENCHMARKS = {
    "decoding": decoding.run,
    "streaming": streaming.run,
    "importing": importing.run,
    "sync": sync.run,
    "polling": polling.run,
    "fleet": fleet.run,
    "listening": listening.run,
}


def main() -> None:
    """Run what the command line names."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(_BENCHMARKS)}; default: all")
    parser.add_argument("--quick", action="store_true", help="two minutes instead of ten")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all numbers there")
    parser.add_argument("--spec", type=Path, metavar="FILE", help="the service's published description")
    options = parser.parse_args()
    unknown = set(options.names) - set(_BENCHMARKS)
    if unknown:
        parser.error(f"no such benchmark: {', '.join(sorted(unknown))}")
    where = surroundings()
    say(f"{where['date']}, Python {where['python']}, {where['machine']}")
    spec = options.spec.resolve() if options.spec is not None else None
    with tempfile.TemporaryDirectory(prefix="srs-bench-") as folder:
        peers = generate(Path(folder), spec)
        results: list[Result] = []
        for name, run in _BENCHMARKS.items():
            if not options.names or name in options.names:
                result = run(peers, quick=options.quick)
                result.show()
                results.append(result)
    if options.json is not None:
        found = {**where, "quick": options.quick, **{result.name: result.as_json() for result in results}}
        options.json.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()

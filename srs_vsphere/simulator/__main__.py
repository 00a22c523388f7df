"""Run simulated hosts as a program; ``--help`` says how."""

from __future__ import annotations

import sys

from srs_vsphere.simulator.command import main

sys.exit(main())

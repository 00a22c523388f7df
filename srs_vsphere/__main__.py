"""``python -m srs_vsphere`` is the ``srs`` command."""

from __future__ import annotations

import sys

from srs_vsphere.cli.main import main

sys.exit(main())

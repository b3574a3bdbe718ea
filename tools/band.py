#!/usr/bin/env python3
"""The serial tool, runnable on its own from a checkout: ``python tools/band.py --help``."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tinyhar.cli.serial import main

if __name__ == "__main__":
    main()

"""What every room's tests share: where real data is, where the reference models are."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from hypothesis import settings

ROOT = Path(__file__).resolve().parent.parent

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

# A shell starts what it sends to the background with Ctrl-C ignored, and children inherit that:
# the tests that interrupt one need it back.
signal.signal(signal.SIGINT, signal.default_int_handler)

# A busy machine is no defect.
settings.register_profile("tinyhar", deadline=None)
settings.load_profile("tinyhar")


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder that holds hapt/, dsads/, motionsense/ and spsw/; skips where there is none."""
    named = os.environ.get("TINYHAR_DATA")
    folder = Path(named) if named else ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"no real recordings: set TINYHAR_DATA ({folder} is not there)")
    return folder


@pytest.fixture(scope="session")
def reference_models() -> Path:
    """The folder of int8 reference models with golden vectors; skips where there is none."""
    folder = Path(os.environ.get("TINYHAR_REFERENCE", ROOT.parent / "shared" / "reference"))
    if not folder.is_dir():
        pytest.skip(f"no reference models: set TINYHAR_REFERENCE ({folder} is not there)")
    return folder

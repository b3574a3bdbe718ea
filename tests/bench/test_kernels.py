"""Each kernel alone: its bytes are the desk's, and its costs do not creep up."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from tinyhar.band import cortex_m4
from tinyhar.cli.main import app

MOST = {"CONV_2D": 2.6, "CLUSTERED_CONV_2D": 3.3, "DEPTHWISE_CONV_2D": 6.5,
        "AVERAGE_POOL_2D": 2.5, "MAX_POOL_2D": 2.5,
        "ADD": 23, "MUL": 42, "HARD_SWISH": 4.5, "SOFTMAX": 330}  # fmt: skip
"""Instructions for one multiplication or value."""


def test_every_kernel_is_right_and_as_fast_as_it_was() -> None:
    if cortex_m4.missing_tools():
        pytest.skip("no cross compiler or no QEMU")
    told = CliRunner().invoke(app, ["bench", "kernels", "--json"])
    assert told.exit_code == 0, told.output
    found = json.loads(told.output)["kernels"]
    assert {one["kernel"].split()[0] for one in found} == set(MOST)
    for one in found:
        assert one["mismatched_bytes"] == 0
        assert 0 < one["each"] <= MOST[one["kernel"].split()[0]], one

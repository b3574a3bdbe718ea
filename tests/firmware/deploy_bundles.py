"""Bundles for the stub engine that differ a little, and how one travels when another one runs."""

from __future__ import annotations

import zlib

import numpy as np

from tests.firmware.stub_model import answer, random_counts, stub_bundle
from tinyhar.band.codes import DEPLOY_BLOCK
from tinyhar.band.deploy_file import BundleFile, of_bytes
from tinyhar.band.deploy_plan import Plan, full, partial
from tinyhar.convert.bundle import pack

NAMES = ("walk", "run", "hop", "swim", "row")


def variant(n: int, **changed: object) -> BundleFile:
    """Bundle n: a class name, a golden window and with them its identity are its own."""
    golden = np.stack([random_counts(seed) for seed in (1, 2, 3, 4, 5, 100 + n)])
    fields: dict[str, object] = {
        "classes": (NAMES[n % len(NAMES)], f"class {n}", "sit", "drink"),
        "golden_counts": golden,
        "golden_logits": np.stack([answer(window) for window in golden]),
    }
    return of_bytes(pack(stub_bundle(**(fields | changed))), f"variant {n}")


def blocks_of(data: bytes) -> list[int]:
    """What a band answers to BLOCKS."""
    return [zlib.crc32(data[at : at + DEPLOY_BLOCK]) for at in range(0, len(data), DEPLOY_BLOCK)]


def plan_of(new: BundleFile, running: BundleFile | None) -> Plan:
    """All of it, or, where another one runs, what differs."""
    if running is None:
        return full(new.data)
    plan = partial(new.data, len(running.data), blocks_of(running.data))
    assert plan.copied_bytes > 0
    return plan

"""Bundles to deploy onto the band of the tests' run, from nearly the same to quite another."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from tinyhar.band.client import Client
from tinyhar.band.deploy_file import BundleFile, of_bytes
from tinyhar.band.link import SerialLink
from tinyhar.convert import integer
from tinyhar.convert.bundle import Bundle, pack, unpack
from tinyhar.convert.compiled import compile_model
from tinyhar.convert.graph import read_graph


def bundle_of(run: Path) -> Bundle:
    return unpack((run / "bundle.thb").read_bytes())


def renamed(run: Path, *names: str) -> BundleFile:
    """The first classes have other names; the network is the same."""
    bundle = bundle_of(run)
    return of_bytes(pack(replace(bundle, classes=(*names, *bundle.classes[len(names) :]))))


def other_head(run: Path) -> BundleFile:
    """The last layer's weights are others, and with them the golden logits."""
    tflite = (run / "int8" / "model.tflite").read_bytes()
    weights = _last_weights(tflite)
    assert tflite.count(weights) == 1
    return of_model(run, tflite.replace(weights, weights[::-1]))


def other_network(run: Path, reference_models: Path) -> BundleFile:
    """Another architecture for the same windows."""
    return of_model(run, (reference_models / "inverted_residual.tflite").read_bytes())


def _last_weights(tflite: bytes) -> bytes:
    graph = read_graph(tflite)
    dense = [op for op in graph.operators if op.kind == "FULLY_CONNECTED"][-1]
    data = graph.constant(dense, 1)
    assert data is not None
    return np.asarray(data).tobytes()


def of_model(run: Path, tflite: bytes) -> BundleFile:
    bundle, graph = bundle_of(run), read_graph(tflite)
    compiled = compile_model(tflite)
    logits = integer.run(graph, bundle.count_map.apply(bundle.golden_counts)[:, np.newaxis])
    changed = replace(
        bundle,
        model=compiled.payload,
        arena_bytes=compiled.arena_bytes,
        golden_logits=logits,
    )
    return of_bytes(pack(changed))


def taught(run: Path, more: int) -> BundleFile:
    """As if so many classes had been taught; the model cannot answer with them."""
    bundle = bundle_of(run)
    names = (*bundle.classes, *(f"taught {n}" for n in range(more)))
    logits = np.zeros((len(bundle.golden_counts), len(names)), np.int8)
    grown = replace(bundle, classes=names, golden_logits=logits, teaching=None)
    return of_bytes(pack(grown))


def check_runs(client: Client, file: BundleFile) -> None:
    assert client.identify().bundle_id == file.bundle_id
    result = client.selftest()
    assert (result.run, result.failed) == (4, 0)


def wired(url: str, baud: int = 115_200) -> Client:
    """A client that takes the line for a serial port: it has a speed, and holds nothing back."""
    link = SerialLink(url)
    link.buffered, link.baud = False, baud
    return Client(link)

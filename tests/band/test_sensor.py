"""A band with a sensor of its own: it infers by itself, and tells what it measures when asked."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from tests.band.test_tool import tool
from tinyhar.band import emulate
from tinyhar.band.client import Client, connect
from tinyhar.band.desk import Desk, read_desk
from tinyhar.band.emulate import Emulated
from tinyhar.band.errors import BandRefused, MessageError, SilentBand, StreamBegan
from tinyhar.band.lessons import lessons
from tinyhar.band.live_messages import Samples
from tinyhar.band.sensing import sensing_of
from tinyhar.band.session import Moved, Session
from tinyhar.band.source import Worn
from tinyhar.band.teach import teach
from tinyhar.band.worn import Wish, source_of
from tinyhar.convert import integer
from tinyhar.errors import ToolError

SAMPLES = 1000


@pytest.fixture
def desk(run: Path) -> Desk:
    return read_desk(run)


@pytest.fixture
def worn(run: Path, desk: Desk, tmp_path: Path) -> Iterator[tuple[Emulated, np.ndarray]]:
    """A host band whose sensor delivers these counts over and over."""
    counts = np.concatenate(list(desk.counts[:10]))[:SAMPLES]
    file = tmp_path / "counts.bin"
    file.write_bytes(counts.astype("<i2").tobytes())
    image = emulate.image_of(run, "host")
    with emulate.start("host", image, tcp=True, flash=tmp_path / "flash", sensor=file) as band:
        time.sleep(0.1)
        yield band, counts


def collected(client: Client, samples: int) -> tuple[np.ndarray, int]:
    """So many samples of the band's own sensor, and how many were lost."""
    source, pieces, lost, have = Worn(), [], 0, 0
    while have < samples:
        piece = source.step(client, have)
        pieces.append(piece.counts)
        lost += piece.lost
        have += len(piece.counts)
    return np.concatenate(pieces), lost


def test_what_the_sensor_measures_and_what_the_band_makes_of_it(
    worn: tuple[Emulated, np.ndarray], desk: Desk
) -> None:
    band, counts = worn
    with connect(band.url) as client:
        assert client.has_sensor()
        told, lost = collected(client, 300)
        said = client.take_predictions()
    assert lost == 0
    around = np.concatenate([counts, counts])
    start = next(i for i in range(SAMPLES) if (around[i : i + 50] == told[:50]).all())
    np.testing.assert_array_equal(told, np.resize(around[start:], told.shape))
    graph, _ = desk._graph_and_layers
    assert [one.window_index for one in said] == list(range(len(said)))
    assert len(said) >= 2
    for one in said:
        window = told[one.last_sample + 1 - 128 : one.last_sample + 1]
        x = desk.bundle.count_map.apply(window)[np.newaxis, np.newaxis]
        assert one.logits == integer.run(graph, x).tobytes()


def test_a_host_takes_the_sensors_place_and_gives_it_back(
    worn: tuple[Emulated, np.ndarray], desk: Desk
) -> None:
    band, _ = worn
    with connect(band.url) as client:
        collected(client, 20)
        client.stream(desk.counts[0], 0)
        said = client.take_predictions()
        assert [one.logits for one in said] == [desk.logits[0].tobytes()]
        told, lost = collected(client, 60)
        assert len(told) >= 60 and lost == 0
        client.live(False)
        client.samples.clear()
        client.exchange.listen(0.3)
        assert not client.samples
        client.live(True)
        client.identify()  # a new conversation hears nothing of the old one
        client.samples.clear()
        client.exchange.listen(0.3)
        assert not client.samples
        assert next(iter(client.infer_many(desk.counts[:1]))).logits == desk.logits[0].tobytes()


def test_a_host_that_goes_away_leaves_the_band_to_its_sensor(
    worn: tuple[Emulated, np.ndarray], desk: Desk
) -> None:
    band, _ = worn
    with connect(band.url) as client:
        client.stream(desk.counts[0], 0)
        before = client.statistics().windows
        time.sleep(1.0)
        assert client.statistics().windows == before
        time.sleep(1.2 + 2.6 + 0.3)
        assert client.statistics().windows > before


def test_it_is_watched_and_taught_as_it_is_worn(worn: tuple[Emulated, np.ndarray]) -> None:
    band, _ = worn
    with connect(band.url) as client:
        assert isinstance(source_of(Wish(), client, sensing_of(client)), Worn)
        known = teach(client, Worn(), "hop", 4.0)
        assert known.windows >= 4
        assert [one.name for one in lessons(client)] == ["hop"]


def test_a_session_watches_it(worn: tuple[Emulated, np.ndarray]) -> None:
    band, _ = worn
    session = Session(lambda: band.url, lambda client: (sensing_of(client), Worn()))
    moved: list[Moved] = []
    for event in session.events():
        if isinstance(event, Moved):
            moved.append(event)
            if any(one.predictions for one in moved) and len(moved) > 20:
                break
    at = 0
    for event in moved:
        assert event.at == at
        at += len(event.piece.counts)


def test_monitor_needs_nothing_but_the_band(worn: tuple[Emulated, np.ndarray]) -> None:
    band, _ = worn
    status, out, err = tool("monitor", "--port", band.url, "--seconds", 5, "--json")
    assert status == 0, err
    lines = [json.loads(line) for line in out.splitlines()]
    assert any("class" in line or "shown" in line or "prediction" in str(line) for line in lines)


def test_a_band_without_a_sensor_says_so(deploy_band: Emulated, qemu_run: Path) -> None:
    with connect(deploy_band.url) as client:
        assert not client.has_sensor()
        with pytest.raises(BandRefused, match="no sensor of its own"):
            client.live(True)
    with pytest.raises(ToolError, match="a sensor is for board host"):
        emulate.start(
            "mps2_an386", emulate.image_of(qemu_run, "mps2_an386"), sensor=qemu_run / "bundle.thb"
        )


class Told:
    """A client of which only the samples matter."""

    def __init__(self, *starts: int, size: int = 12) -> None:
        self.samples = [Samples(start, bytes(size)) for start in starts]
        self.identity = SimpleNamespace(channels=3)
        self.exchange = SimpleNamespace(
            link=SimpleNamespace(now=iter(range(100)).__next__, name="a test"),
            listen=lambda s: None,
        )

    def live(self, on: bool) -> None:
        assert on


def test_a_gap_is_a_loss_a_new_beginning_ends_the_stream_and_silence_is_told() -> None:
    source = Worn()
    client = Told(0, 2, 8)
    assert (len(source.step(client, 0).counts), source._next) == (6, 10)  # type: ignore[arg-type]
    client.samples = [Samples(14, bytes(12))]
    assert source.step(client, 10).lost == 4  # type: ignore[arg-type]
    client.samples = [Samples(0, bytes(12))]
    with pytest.raises(StreamBegan, match="anew"):
        source.step(client, 16)  # type: ignore[arg-type]
    client.samples = []
    with pytest.raises(SilentBand, match="sent nothing"):
        source.step(client, 18)  # type: ignore[arg-type]
    with pytest.raises(MessageError, match="no whole samples"):
        source.step(Told(0, size=8), 0)  # type: ignore[arg-type]

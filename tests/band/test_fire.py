"""The wire under fire: whatever the line does, an answer is right or an error, and in time."""

from __future__ import annotations

import time
import zlib
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from tests.band.faulty_link import FaultyLink, Rates, SimulatedEnd
from tests.band.fire_process import process_end
from tests.band.fire_user import Seen, User
from tests.band.simulated import SimulatedBand, layers_of, logits_of
from tests.firmware import stub_model
from tests.firmware.conftest import sanitized  # noqa: F401
from tests.firmware.deploy_bundles import variant
from tests.firmware.stub_model import COUNT_MAP, answer, random_counts, stub_bundle, stub_trace
from tests.firmware.talk import predictions
from tinyhar.band import deploy as deployment
from tinyhar.band import messages as m
from tinyhar.band.client import Client
from tinyhar.band.deploy_file import BundleFile
from tinyhar.band.frames import Decoder, Frame, encode
from tinyhar.convert.bundle import Smoothing

NO_FAULTS = Rates()
FIRE = Rates(
    drop=0.03, flip=0.03, duplicate=0.03, reorder=0.03, delay=0.03, cut=0.03, unplug=0.0005
)
GOLDEN = 40

pytestmark = pytest.mark.timeout(120)
"""Something that hangs is a failure, not a wait."""


@dataclass
class SimulatedTruth:
    window: int = 16
    channels: int = 3
    has_settings: bool = False
    golden: int = 4

    def logits(self, counts: m.Counts) -> list[int]:
        return logits_of(counts[np.newaxis])[0].tolist()

    def trace(self, counts: m.Counts) -> tuple[int, ...]:
        return tuple(zlib.crc32(layer[0].tobytes()) for layer in layers_of(counts[np.newaxis]))

    def predictions(self, counts: m.Counts, settings: m.SettingsInForce) -> list[Seen]:
        found = []
        for index, at in enumerate(range(0, len(counts) - self.window + 1, self.window // 2)):
            logits = self.logits(counts[at : at + self.window])
            best = int(np.argmax(logits))
            found.append((index, at + self.window - 1, best, best, 255, logits))
        return found

    def settings(self) -> m.SettingsInForce:
        return m.SettingsInForce(8, 5, 2)

    def names(self, bundle_id: bytes) -> tuple[tuple[str, ...], tuple[str, ...]]:
        return ("sit", "walk", "run"), tuple(f"wrist_acc_{axis}" for axis in "xyz")


@dataclass
class StubTruth:
    files: list[BundleFile]
    window: int = stub_model.WINDOW
    channels: int = stub_model.CHANNELS
    has_settings: bool = True
    golden: int = GOLDEN
    names_of: dict[bytes, tuple[str, ...]] = field(init=False)

    def __post_init__(self) -> None:
        self.names_of = {file.bundle_id: file.bundle.classes for file in self.files}

    def logits(self, counts: m.Counts) -> list[int]:
        return answer(counts).tolist()

    def trace(self, counts: m.Counts) -> tuple[int, ...]:
        return tuple(stub_trace(COUNT_MAP.apply(counts)))

    def predictions(self, counts: m.Counts, settings: m.SettingsInForce) -> list[Seen]:
        smoothing = Smoothing(settings.smooth_length, settings.smooth_hold)
        return predictions(counts, settings.stride, smoothing)

    def settings(self) -> m.SettingsInForce:
        return m.SettingsInForce(stub_model.STRIDE, 3, 2)

    def names(self, bundle_id: bytes) -> tuple[tuple[str, ...], tuple[str, ...]]:
        return self.names_of[bundle_id], stub_bundle().channels


def bundles() -> list[BundleFile]:
    """Of 4 kB each, alike but for names and two golden windows."""
    made = []
    for n in range(4):
        golden = np.stack([random_counts(seed) for seed in range(GOLDEN)])
        golden[[10, 30]] = random_counts(1000 + n), random_counts(2000 + n)
        made.append(
            variant(n, golden_counts=golden, golden_logits=np.stack([answer(w) for w in golden]))
        )
    return made


def check(user: User, frames: int, started: float) -> None:
    """After the fire: what was asked was mostly answered, and the line, now good, works at once."""
    link = user.link
    user._note_troubles()
    errors, done = user.errors.total(), user.done.total()
    print(
        f"\n{link.frames.total():,} frames, {done:,} things done, {errors} errors, "
        f"{time.monotonic() - started:.0f} s, {link.now():,.0f} s on the line, "
        f"longest {user.longest:.1f} s\nfaults {dict(link.faults)}\n"
        f"errors {dict(user.errors)}\nfacts {dict(user.facts)}\ndone {dict(user.done)}"
    )
    link.rates = NO_FAULTS
    link.plug_in()
    user.client = user._greet()
    told = user.client.statistics()
    assert (told.frames_ok, told.frames_bad) == link.end.counted
    assert link.frames.total() >= frames
    assert errors < 0.02 * frames
    assert done > 0.02 * frames
    damaged = link.faults["flip"] + link.faults["cut"]
    assert 0 < user.facts["damaged at desk"] < damaged
    assert damaged / 3 < user.facts["retries"]
    assert user.facts["retries"] < 3 * (damaged + link.faults["drop"] + link.faults["delay"])


def under_fire_simulated(frames: int, seed: int) -> User:
    started = time.monotonic()
    band = SimulatedBand(max_body=64 if seed % 2 else 4096)  # 64: a window comes in pieces
    link = FaultyLink(SimulatedEnd(band), FIRE, seed, buffered=seed % 2 == 0)
    user = User(link, SimulatedTruth(), seed)
    user.run(frames)
    check(user, frames, started)
    return user


def under_fire_process(program: Path, folder: Path, frames: int, seed: int) -> User:
    started = time.monotonic()
    files = bundles()
    with process_end(program, files[0].data, folder) as end:
        link = FaultyLink(end, FIRE, seed, buffered=seed % 2 == 0)
        user = User(link, StubTruth(files), seed, files)
        user.run(frames)
        check(user, frames, started)
    return user


@pytest.fixture(autouse=True)
def _small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a deployment is many frames."""
    monkeypatch.setattr(deployment, "MOST_CHUNK", 128)
    monkeypatch.setattr(deployment, "MOST_COPY", 512)


@pytest.mark.parametrize("seed", [0, 1], ids=["pipelined", "one at a time"])
def test_a_simulated_band_under_fire_gives_right_answers_or_errors(seed: int) -> None:
    under_fire_simulated(3000, seed)


@pytest.mark.parametrize("seed", [0, 1], ids=["pipelined", "one at a time"])
def test_the_firmware_under_fire_gives_right_answers_or_errors(
    sanitized: Path,  # noqa: F811
    tmp_path: Path,
    seed: int,
) -> None:
    under_fire_process(sanitized / "tinyhar-band", tmp_path, 3000, seed)


def test_a_slow_line_is_waited_for() -> None:
    band = SimulatedBand(window=128, channels=6)
    link = FaultyLink(SimulatedEnd(band), NO_FAULTS, 0, buffered=False, baud=9600)
    client = Client(link)
    counts = np.random.default_rng(1).integers(-30000, 30000, (1, 128, 6)).astype(np.int16)
    assert client.infer(counts[0]).logits == logits_of(counts[:1])[0].tobytes()
    assert link.now() > 1.5
    assert client.exchange.retries == 0


def test_a_late_prediction_of_an_earlier_stream_is_not_taken_for_one_of_this() -> None:
    band = SimulatedBand()
    link = FaultyLink(SimulatedEnd(band), NO_FAULTS, 0)
    client = Client(link)
    first, second = np.random.default_rng(1).integers(-30000, 30000, (2, 16, 3)).astype(np.int16)
    client.stream(first, 0)
    late = band._outbox[0]
    assert len(client.take_predictions()) == 1
    client.stream(second[:8], 0)
    link._offer(late, to_band=False)
    client.stream(second[8:], 8)
    (prediction,) = client.take_predictions()
    assert prediction.logits == logits_of(second[np.newaxis])[0].tobytes()
    assert client.exchange.strays == 1


def test_the_firmwares_predictions_carry_the_number_of_their_stream(
    sanitized: Path,  # noqa: F811
    tmp_path: Path,
) -> None:
    file = bundles()[0]
    with process_end(sanitized / "tinyhar-band", file.data, tmp_path) as end:
        counts = m.pack_counts(random_counts(1, 40))
        for seq in (5, 9):
            request = Frame(m.Stream.TYPE, seq, m.Stream(0, counts).encode())
            said = Decoder().feed(end.hear(encode(request), 0.0))
            assert [frame.seq for frame in said] == [seq] * 6


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_a_hundred_thousand_frames_under_fire(sanitized: Path, tmp_path: Path) -> None:  # noqa: F811
    users = [under_fire_simulated(30_000, seed) for seed in (2, 3)]
    for seed in (4, 5):
        folder = tmp_path / str(seed)
        folder.mkdir()
        users.append(under_fire_process(sanitized / "tinyhar-band", folder, 50_000, seed))
    assert sum(user.link.frames.total() for user in users) >= 100_000
    facts = sum((user.facts for user in users), start=type(users[0].facts)())
    for wanted in ("resumed", "deployed full", "deployed partial", "rolled back"):
        assert facts[wanted] >= 5, wanted


def test_a_faultless_line_gives_every_answer_and_no_error(
    sanitized: Path,  # noqa: F811
    tmp_path: Path,
) -> None:
    files = bundles()
    with process_end(sanitized / "tinyhar-band", files[0].data, tmp_path) as end:
        user = User(FaultyLink(end, NO_FAULTS, 7), StubTruth(files), 7, files)
        user.run(1000)
        user._note_troubles()
        assert user.errors.total() == 0
        assert user.facts["lost predictions"] == user.facts["retries"] == 0

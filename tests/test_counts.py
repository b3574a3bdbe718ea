from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tinyhar.counts import (
    FULL_SCALE,
    CountMap,
    Normalisation,
    from_counts,
    lsb_of,
    to_counts,
)
from tinyhar.errors import DataError
from tinyhar.recordings import Channel, synthetic, triaxial
from tinyhar.windows import cut

CHANNELS = triaxial("wrist", "acc", "gyro")
LSB = lsb_of(CHANNELS)
EVERY_COUNT = np.arange(-32768, 32768).astype(np.int16)

FULL = float(FULL_SCALE["acc"])
sensible = {
    "mean": st.floats(-0.9 * FULL, 0.9 * FULL),
    "std": st.floats(0.005, 60.0),
    "scale": st.floats(0.004, 0.2),
    "zero_point": st.integers(-128, 127),
}


def folded(mean, std, scale, zero_point) -> CountMap:
    normalisation = Normalisation(np.array([mean]), np.array([std]), ("1",))
    return CountMap.fold(normalisation, LSB[:1], scale, zero_point)


def plain(count: int, multiplier: int, shift: int, offset: int) -> int:
    """The count map in unbounded integers; Python's >> is arithmetic."""
    total = count * multiplier + offset
    assert -(2**31) <= total < 2**31
    return max(-128, min(127, total >> shift))


@settings(max_examples=150, deadline=None)
@example(mean=9.8, std=0.02, scale=0.004, zero_point=-128)
@example(mean=-70.0, std=60.0, scale=0.2, zero_point=127)
@example(mean=0.0, std=0.005, scale=0.004, zero_point=0)
@given(**sensible)
def test_the_fold_is_the_real_quantisation_within_a_step(mean, std, scale, zero_point):
    count_map = folded(mean, std, scale, zero_point)
    got = count_map.apply(EVERY_COUNT[:, None])[:, 0].astype(int)
    value = (EVERY_COUNT * LSB[0] - mean) / std
    wanted = np.clip(np.rint(value / scale) + zero_point, -128, 127)
    off = np.abs(got - wanted)
    assert off.max() <= 1
    # A step off is only right beside a rounding boundary, so few counts may have it.
    inside = (wanted > -128) & (wanted < 127)
    if inside.sum() > 200:
        assert (off[inside] > 0).mean() < 0.05


@settings(max_examples=300)
@given(
    st.integers(-32767, 32767),
    st.integers(0, 22),
    st.integers(-(2**30) + 1, 2**30 - 1),
    st.lists(st.integers(-32768, 32767), min_size=1, max_size=20),
)
@example(32767, 0, 2**30 - 1, [-32768, 32767])
@example(-32767, 22, -(2**30) + 1, [-32768, 32767])
def test_any_map_within_its_ranges_equals_plain_integers(multiplier, shift, offset, counts):
    count_map = CountMap(
        np.array([multiplier], np.int16), np.array([shift], np.uint8), np.array([offset], np.int32)
    )
    got = count_map.apply(np.array(counts, np.int16)[:, None])
    assert got.dtype == np.int8
    assert got[:, 0].tolist() == [plain(c, multiplier, shift, offset) for c in counts]


@given(**sensible)
def test_a_folded_map_uses_the_precision_there_is(mean, std, scale, zero_point):
    count_map = folded(mean, std, scale, zero_point)
    multiplier, shift = int(count_map.multiplier[0]), int(count_map.shift[0])
    offset = int(count_map.offset[0])
    # One more bit would not have fitted.
    assert shift == 22 or 2 * multiplier >= 32766 or 2 * abs(offset) >= 2**30 - 2**16


def test_channels_keep_to_themselves_and_any_shape_goes():
    normalisation = Normalisation(np.arange(6.0), np.linspace(0.5, 3, 6), ("1",))
    count_map = CountMap.fold(normalisation, LSB, 0.03, 5)
    counts = np.random.default_rng(0).integers(-32768, 32768, (4, 7, 6)).astype(np.int16)
    got = count_map.apply(counts)
    assert got.shape == counts.shape
    for c in range(6):
        parts = (int(count_map.multiplier[c]), int(count_map.shift[c]), int(count_map.offset[c]))
        expected = [[plain(int(v), *parts) for v in row] for row in counts[:, :, c]]
        assert got[:, :, c].tolist() == expected


def test_counts_to_int8_on_movement_is_the_float_path():
    """From recording to int8 by integers and by floats: the same but for rounding ties."""
    windows = cut(synthetic.generate(2, bouts=1), window=100, stride=100)
    normalisation = Normalisation.fit(windows)
    counts = to_counts(windows.x, LSB)
    value = normalisation.apply(from_counts(counts, LSB))
    wanted = np.clip(np.rint(value / 0.04) - 3, -128, 127).astype(int)
    got = CountMap.fold(normalisation, LSB, 0.04, -3).apply(counts).astype(int)
    assert np.abs(got - wanted).max() <= 1
    assert (got != wanted).mean() < 0.01


def test_normalisation_is_fitted_on_what_it_says():
    windows = cut(synthetic.generate(3, bouts=1), window=100, stride=50)
    train = windows.only(["synthetic-01", "synthetic-03"])
    normalisation = Normalisation.fit(train)
    assert normalisation.subjects == ("synthetic-01", "synthetic-03")
    value = normalisation.apply(train.x)
    np.testing.assert_allclose(value.mean((0, 1)), 0, atol=1e-3)
    np.testing.assert_allclose(value.std((0, 1)), 1, atol=1e-3)


def test_a_dead_channel_is_named():
    windows = cut(synthetic.generate(1, bouts=1), window=100, stride=50)
    x = windows.x.copy()
    x[:, :, 4] = 0.25
    with pytest.raises(DataError, match="wrist_gyro_y is constant"):
        Normalisation.fit(replace(windows, x=x))


def test_full_scale_sets_the_count():
    assert LSB[0] * 32768 == pytest.approx(8 * 9.80665)
    assert LSB[3] * 32768 == pytest.approx(2000 * np.pi / 180)
    assert lsb_of(CHANNELS[:1], {"acc": 16 * 9.80665})[0] == 2 * LSB[0]
    with pytest.raises(DataError, match="wrist_ecg_x: no full scale"):
        lsb_of((Channel("wrist", "ecg", "x", "mV"),))


@given(st.lists(st.floats(-200, 200), min_size=1, max_size=30))
def test_counts_round_and_clip(values):
    x = np.array(values)[:, None]
    counts = to_counts(x, LSB[:1])
    back = from_counts(counts, LSB[:1])
    reach = np.clip(x, -FULL, FULL - LSB[0])
    assert np.abs(back - reach).max() <= LSB[0] / 2 + 1e-5


@pytest.mark.parametrize(
    "mean, std, scale, zero_point",
    [(0, 0, 0.1, 0), (100, 1, 0.1, 0), (0, 1, 0, 0), (0, 1, 0.1, 200), (0, 1e-9, 0.1, 0),
     (0, 1, float("nan"), 0), (float("nan"), 1, 0.1, 0)],
)  # fmt: skip
def test_what_cannot_be_folded_is_refused(mean, std, scale, zero_point):
    with pytest.raises(DataError):
        folded(mean, std, scale, zero_point)


def test_wrong_values_are_refused():
    with pytest.raises(DataError, match="not a number"):
        to_counts(np.array([[np.nan]]), LSB[:1])
    with pytest.raises(DataError, match="int16"):
        folded(0, 1, 0.1, 0).apply(np.zeros((1, 1), np.int32))
    with pytest.raises(DataError, match="out of range"):
        CountMap(np.array([-32768], np.int16), np.array([0], np.uint8), np.array([0], np.int32))
    with pytest.raises(DataError, match="out of range"):
        CountMap(np.array([1], np.int16), np.array([23], np.uint8), np.array([0], np.int32))

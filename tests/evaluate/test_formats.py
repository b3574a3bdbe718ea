from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinyhar.evaluate import formats
from tinyhar.evaluate.palette import CLASS_COLOURS, luminance, text_on


@given(st.integers(1, 10**6), st.data())
def test_agreement_says_100_only_when_all_windows_agree(windows: int, data: st.DataObject) -> None:
    equal = data.draw(st.integers(0, windows))
    text = formats.share(equal / windows)
    assert (text == "100 %") == (equal == windows)
    assert float(text.removesuffix(" %")) < 100 or equal == windows


@given(st.floats(1e-6, 1e9))
def test_a_measurement_keeps_four_digits_without_an_exponent(value: float) -> None:
    text = formats.number(value)
    assert "e" not in text
    assert float(text.replace(",", "")) == pytest.approx(value, rel=6e-4)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (formats.number(50.0), "50"),
        (formats.number(2.56), "2.56"),
        (formats.number(0), "0"),
        (formats.number(1000.0), "1,000"),
        (formats.score(0.95471), "0.9547"),
        (formats.score(math.nan), "–"),
        (formats.change(-0.00001), "±0.0000"),
        (formats.change(-0.0123), "−0.0123"),
        (formats.change(0.002), "+0.0020"),
        (formats.count(271232), "271,232"),
        (formats.kib(812), "812 B"),
        (formats.kib(29960), "29.3 KiB"),
        (formats.share(0.99999), "99.999 %"),
        (formats.duration(8.214), "8.214 s"),
        (formats.duration(48.2), "48 s"),
        (formats.unit("m/s^2"), "m/s²"),
        (formats.duration(200), "3 min 20 s"),
        (formats.duration(3900), "1 h 5 min"),
        (formats.count(None), "–"),
        (formats.kib(None), "–"),
        (formats.share(None), "–"),
        (formats.duration(None), "–"),
        (formats.spoken("trouser_pocket"), "trouser pocket"),
        (str(formats.breakable("<A>_B")), "&lt;A&gt;_<wbr>B"),
    ],
)
def test_figures_as_written(text: str, expected: str) -> None:
    assert text == expected


@pytest.mark.parametrize("colour", CLASS_COLOURS)
def test_the_number_on_a_chip_can_be_read(colour: str) -> None:
    lighter, darker = sorted((luminance(colour), luminance(text_on(colour))), reverse=True)
    assert (lighter + 0.05) / (darker + 0.05) >= 4.5

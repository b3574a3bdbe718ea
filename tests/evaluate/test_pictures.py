from __future__ import annotations

import sys
import xml.etree.ElementTree as ET

import matplotlib
import numpy as np

from tinyhar.evaluate import pictures


def three() -> list[str]:
    window = np.random.default_rng(0).normal(size=(64, 6)).astype(np.float32)
    groups = {"acc, m/s²": [0, 1, 2], "gyro, rad/s": [3, 4, 5]}
    lines = {"first": [3.0, 2, 1], "second": [4.0, 3, 2]}
    limits = dict.fromkeys(groups, (-3.0, 3.0))
    return [
        pictures.curve(lines, ylabel="loss", best_epoch=2, alt="c"),
        pictures.signal(window, groups, rate=50, limits=limits, alt="s"),
        pictures.people({"2": 0.9, "10": 0.95}, {"2": 0.89, "10": 0.96}, alt="p"),
    ]


def test_pictures_leave_no_figure_and_no_setting_behind() -> None:
    before = dict(matplotlib.rcParams)
    had_pyplot = "matplotlib.pyplot" in sys.modules
    three()
    assert dict(matplotlib.rcParams) == before
    assert ("matplotlib.pyplot" in sys.modules) == had_pyplot
    import matplotlib.pyplot as plt

    assert plt.get_fignums() == []


def test_pictures_are_well_formed_and_the_same_every_time() -> None:
    for svg, again in zip(three(), three(), strict=True):
        assert svg == again
        root = ET.fromstring(svg)
        assert root.attrib["role"] == "img" and root.attrib["aria-label"]


def test_pictures_take_their_colours_from_the_theme() -> None:
    for svg in three():
        assert "var(--" in svg
        assert "#0101" not in svg
        assert "DejaVu" not in svg


def test_names_are_text_not_markup_and_not_mathematics() -> None:
    svg = pictures.people({"<b>$x^{$": 0.9}, {"<b>$x^{$": 0.8, "漢字": 0.7}, alt='"><script>')
    texts = "".join(ET.fromstring(svg).itertext())
    assert "<b>$x^{$" in texts and "漢字" in texts
    assert "<script" not in svg


def test_short_and_empty_histories_can_be_drawn() -> None:
    assert pictures.curve({"first": [1.0]}, ylabel="loss", best_epoch=None, alt="one")
    assert pictures.curve({"first": [1.0, np.nan]}, ylabel="loss", best_epoch=7, alt="beyond")
    one = np.zeros((1, 3), np.float32)
    assert pictures.signal(one, {"acc": [0]}, rate=50, limits={"acc": (0, 1)}, alt="one sample")

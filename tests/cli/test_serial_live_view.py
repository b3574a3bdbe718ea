"""The live view as text: everything in its place, at any size, in colours that can be seen."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.color import Color
from rich.style import Style

from tests.band.live_parts import Wired
from tinyhar.band.history import Answer, History
from tinyhar.band.session import Joined, Lost
from tinyhar.cli.serial_live_lines import COLOURS, Line, beside, colourless, cut, spread, style
from tinyhar.cli.serial_live_plot import bar, curve, round_up
from tinyhar.cli.serial_live_view import Screen, lay_out


@pytest.fixture(scope="module")
def history() -> History:
    first, *rest = Wired().take(200)
    assert isinstance(first, Joined)
    history = History(first.sensing)
    for event in rest:
        history.take(event)
    return history


def text(history: History, screen: Screen | None = None, width: int = 80, height: int = 24) -> str:
    lines = lay_out(history, screen or Screen(title="host"), width, height)
    return "\n".join(line.text for line in lines)


@given(width=st.integers(10, 250), height=st.integers(2, 90), help=st.booleans())
def test_it_fills_any_terminal_exactly(
    history: History, width: int, height: int, help: bool
) -> None:
    lines = lay_out(history, Screen(title="host on /dev/ttyACM0", help=help), width, height)
    assert len(lines) == height
    assert {line.width for line in lines} == {width}


def test_a_small_terminal_shows_signals_answers_history_and_keys(history: History) -> None:
    shown = text(history)
    for part in (
        *("tinyhar live", "● live", "acceleration ±", "m/s²", "the band says", "share of each"),
        *("1 sit", "2 walk", "3 run", "the last minute", "-60 s", "now", "latency", "windows/s"),
        *(
            "at 64 MHz, one instruction a cycle",
            "line errors 0",
            "q quit",
            "space pause",
            "r record",
            "?",
        ),
    ):
        assert part in shown, part
    assert any(0x2801 <= ord(letter) <= 0x28FF for letter in shown), "no plot"


def test_a_tiny_terminal_shows_the_answer_at_least(history: History) -> None:
    shown = text(history, width=40, height=8)
    answer = history.latest
    assert answer is not None
    assert history.sensing.classes[answer.shown] in shown
    assert "q quit" in shown


def test_the_state_of_things_is_told(history: History) -> None:
    screen = Screen(recorded=12.3, label=1, paused=True, message="hello")
    shown = text(history, screen)
    for part in ("● REC 12 s, walk", "PAUSED", "hello"):
        assert part in shown
    screen.label = None
    assert "● REC 12 s, no label" in text(history, screen)


def test_a_lost_line_is_told_with_its_reason() -> None:
    first, *rest = Wired().take(20)
    assert isinstance(first, Joined)
    history = History(first.sensing)
    for event in rest:
        history.take(event)
    history.take(Lost("/dev/ttyACM0 went away; plug the band in again"))
    for width, height in ((80, 24), (50, 12)):
        shown = text(history, Screen(away=3.2), width, height)
        assert "○ lost, looking for it, 3 s" in shown
        assert "plug the band in again"[:10] in shown or width < 80


def test_help_names_the_keys_and_the_classes(history: History) -> None:
    shown = text(history, Screen(help=True, folder="mine"))
    for part in ("quit", "hold the picture", "a .csv file in mine", "1 sit", "3 run", "goes back"):
        assert part in shown


def test_nothing_heard_yet_is_said() -> None:
    first, _ = Wired().take(2)
    assert isinstance(first, Joined)
    assert "nothing yet" in text(History(first.sensing))


def test_many_classes_show_the_likely_ones_and_count_the_rest(history: History) -> None:
    names = tuple(f"activity number {i}" for i in range(40))
    shares = np.full(40, 0.005)
    shares[[3, 30]] = 0.5, 0.3
    first, _ = Wired().take(2)
    assert isinstance(first, Joined)
    many = History(first.sensing)
    object.__setattr__(many.sensing, "classes", names)
    many.answers.append(Answer(1.0, 3, 3, 1.0, 0.1, shares / shares.sum()))
    shown = text(many)
    assert "activity number 3" in shown
    assert " more" in shown
    assert "51%" in shown


def test_the_last_minute_is_named_block_by_block(history: History) -> None:
    def said(seconds: float, shown: int) -> Answer:
        return Answer(seconds, shown, shown, 1.0, 0.1, np.ones(3) / 3)

    first, _ = Wired().take(2)
    assert isinstance(first, Joined)
    minute = History(first.sensing, seconds=60.0)
    minute.answers.extend(said(t, 0 if t < 30 else 2) for t in range(1, 61))
    line = lay_out(minute, Screen(), 80, 24)[18]
    assert line.text.strip().split() == ["▏sit", "▏run"]
    assert abs(line.text.index("▏run") - 39) <= 1
    assert [tone for _, tone in line.pieces if tone.startswith("block")] == ["block 0", "block 2"]


# -- plots -----------------------------------------------------------------------------------


def dots(lines: list[str]) -> np.ndarray:
    """Bool [row, column] of dots."""
    bits = np.array([[ord(letter) - 0x2800 for letter in line] for line in lines])
    masks = np.array([[1, 8], [2, 16], [4, 32], [64, 128]])
    on = (bits[:, :, None, None] & masks) > 0
    return on.transpose(0, 2, 1, 3).reshape(4 * len(lines), -1)


def test_a_rising_signal_rises() -> None:
    drawn = dots(curve(np.linspace(-1, 1, 80), 80, 1.0, 40, 3, 1.0))
    top = drawn.argmax(axis=0)
    assert top[0] == 11
    assert top[-1] == 0
    assert (np.diff(top) <= 0).all()


def test_neighbouring_dots_touch() -> None:
    random = np.random.default_rng(0)
    drawn = dots(curve(random.uniform(-1, 1, 400), 400, 4.0, 50, 4, 1.0))
    for a, b in zip(drawn.T, drawn.T[1:], strict=False):
        grown = a | np.append(a[1:], False) | np.insert(a[:-1], 0, False)
        assert (grown & b).any()


@given(end=st.integers(200, 5000), per_dot=st.floats(0.3, 9))
def test_a_curve_moves_and_does_not_flicker(end: int, per_dot: float) -> None:
    """Once all of a dot's samples are there it is the same in every later picture."""
    wave = np.sin(np.arange(end + 40) / 7)
    before = dots(curve(wave[:end], end, per_dot, 10, 2, 1.0))
    after = dots(curve(wave, end + 40, per_dot, 10, 2, 1.0))
    shift = int((end + 39) // per_dot) - int((end - 1) // per_dot)
    if 0 < shift < 18:
        assert np.array_equal(before[:, shift + 1 : -1], after[:, 1 : -shift - 1])


def test_what_is_not_there_yet_is_empty() -> None:
    drawn = dots(curve(np.zeros(10), 10, 1.0, 20, 2, 1.0))
    assert not drawn[:, :30].any()
    assert drawn[:, 30:].any(axis=0).all()
    assert not dots(curve(np.zeros(0), 0, 1.0, 20, 2, 1.0)).any()


@given(st.floats(0, 1), st.integers(1, 60))
def test_bars_have_their_width_and_grow(share: float, columns: int) -> None:
    drawn = bar(share, columns)
    assert len(drawn) == columns
    assert drawn.count("█") == round(share * columns * 8) // 8


@given(st.floats(1e-3, 1e4))
def test_round_up_is_above_and_not_far(value: float) -> None:
    assert value <= round_up(value) * (1 + 1e-9) <= value * 5 / 3 * 1.01


# -- lines and colours -----------------------------------------------------------------------


def test_lines_are_cut_with_an_ellipsis_and_padded() -> None:
    assert cut("walking", 5) == "walk…"
    assert Line.of("walking").fit(5).text == "walk…"
    assert Line.of("go").fit(5).text == "go   "
    assert spread(Line.of("left"), Line.of("right"), 12).text == "left   right"
    assert beside([Line.of("a")], [Line.of("b")], 3, 1)[0].text == "a   b"
    assert Line.of("活动").fit(3).width == 3


def contrast(colour: str, other: float) -> float:
    """WCAG's contrast ratio of a colour to a grey of that luminance."""
    channels = [value / 255 for value in Color.parse(colour).get_truecolor()]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    luminance = float(np.dot(linear, [0.2126, 0.7152, 0.0722]))
    return (max(luminance, other) + 0.05) / (min(luminance, other) + 0.05)


@pytest.mark.parametrize("colour", [*COLOURS, style("good"), style("bad").split()[-1]])
def test_colours_stand_out_from_black_and_from_white(colour: str) -> None:
    assert contrast(colour, 0.0) >= 3.5
    assert contrast(colour, 1.0) >= 3.5


@pytest.mark.parametrize("tone", ["", "dim", "bold", "good", "bad", "class 3", "axis 0", "block 9"])
def test_no_colour_is_left_where_none_is_wanted(tone: str) -> None:
    plain = Style.parse(colourless(tone))
    assert plain.color is None
    assert plain.bgcolor is None
    Style.parse(style(tone))

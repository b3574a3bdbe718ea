"""The live view in a terminal that exists in memory only: keys, recordings, a lost line."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from textual.pilot import Pilot

from tests.band.live_parts import Wired
from tests.band.simulated import SimulatedBand
from tinyhar.band.session import Joined
from tinyhar.cli.serial_live_app import LiveApp
from tinyhar.errors import DataError


def app_on(wired: Wired, folder: Path) -> LiveApp:
    events = wired.session.events()
    first = next(events)
    assert isinstance(first, Joined)
    return LiveApp(wired.session, first, events, folder, "me")


@asynccontextmanager
async def shown(
    folder: Path, size: tuple[int, int] = (80, 24)
) -> AsyncIterator[tuple[Wired, LiveApp, Pilot[None]]]:
    wired = Wired(real_time=True)
    app = app_on(wired, folder)
    async with app.run_test(size=size) as pilot:
        await until(lambda: app.history.latest is not None)
        yield wired, app, pilot


async def until(true: Callable[[], bool], seconds: float = 20.0) -> None:
    """Waits for what another thread will bring about."""
    for _ in range(round(seconds / 0.02)):
        if true():
            return
        await asyncio.sleep(0.02)
    raise AssertionError("it never came")


def text(app: LiveApp) -> str:
    """What is on the terminal, as Textual would write it."""
    canvas = app.canvas
    return "\n".join(canvas.render_line(y).text for y in range(canvas.size.height))


def test_it_shows_the_band_and_quits_on_q(tmp_path: Path) -> None:
    async def session() -> None:
        async with shown(tmp_path) as (_, app, pilot):
            await until(lambda: "● live" in text(app))
            for part in ("simulated on simulated", "the band says", "1 sit", "windows/s"):
                await until(lambda part=part: part in text(app))  # type: ignore[misc]
            await pilot.press("q")
            assert app._exit

    asyncio.run(session())


def test_the_picture_moves_and_is_held_on_space(tmp_path: Path) -> None:
    async def session() -> None:
        async with shown(tmp_path) as (_, app, pilot):
            before = text(app)
            await until(lambda: text(app) != before)
            await pilot.press("space")
            held = text(app)
            assert "PAUSED" in held
            await asyncio.sleep(0.5)
            assert text(app) == held
            await pilot.press("space")
            await until(lambda: "PAUSED" not in text(app))

    asyncio.run(session())


def test_it_records_with_labels(tmp_path: Path) -> None:
    async def session() -> None:
        async with shown(tmp_path) as (_, app, pilot):
            await pilot.press("2")
            assert "label: walk; r starts a recording" in text(app)
            await pilot.press("r")
            await until(lambda: (app.recording.seconds or 0) > 0.5)
            assert "REC" in text(app)
            await pilot.press("0")
            await until(lambda: (app.recording.seconds or 0) > 1.0)
            await pilot.press("r")
            assert "s" in app.view.message

    asyncio.run(session())
    (file,) = tmp_path.glob("me_*.csv")
    lines = [line for line in file.read_text().splitlines() if not line.startswith("#")]
    labels = [line.rsplit(",", 1)[1] for line in lines[1:]]
    assert list(dict.fromkeys(labels)) == ["walk", ""]


def test_leaving_ends_the_recording_whole(tmp_path: Path) -> None:
    async def session() -> None:
        async with shown(tmp_path) as (_, app, pilot):
            await pilot.press("r")
            await until(lambda: (app.recording.seconds or 0) > 0.3)
            await pilot.press("q")

    asyncio.run(session())
    (file,) = tmp_path.glob("me_*.csv")
    assert file.read_text().endswith("\n")


def test_keys_clear_help_and_refuse_what_is_not_there(tmp_path: Path) -> None:
    async def session() -> None:
        async with shown(tmp_path) as (_, app, pilot):
            await pilot.press("c")
            assert len(app.history.answers) <= 1
            await pilot.press("question_mark")
            assert "what you are doing now" in text(app)
            await pilot.press("question_mark")
            await pilot.press("9")
            assert "there is no class 9" in text(app)
            await pilot.press("x", "f5", "tab")

    asyncio.run(session())


def test_a_lost_line_is_shown_and_taken_up_again(tmp_path: Path) -> None:
    async def session() -> None:
        async with shown(tmp_path) as (wired, app, pilot):
            await pilot.press("r")
            await until(lambda: (app.recording.seconds or 0) > 0.3)
            wired.band.cut_after = wired.band.frames_in
            await until(lambda: "○ lost, looking for it" in text(app))
            assert "plug the band in again" in text(app)
            wired.bands.append(SimulatedBand())
            await until(lambda: "● live" in text(app))
            await until(lambda: "lost lines 1" in text(app))
            await until(lambda: (app.recording.seconds or 0) > 0.3)

    asyncio.run(session())
    assert len(list(tmp_path.glob("me_*.csv"))) == 2, "a recording has a gap in it"


def test_what_ends_the_session_is_handed_on(tmp_path: Path) -> None:
    async def session() -> LiveApp:
        async with shown(tmp_path) as (wired, app, _):

            def refuse(client: object) -> None:
                raise DataError("the run is gone")

            wired.session._prepare = refuse  # type: ignore[assignment]
            other = SimulatedBand()
            other.bundle_id = bytes(32)
            wired.band.cut_after = wired.band.frames_in
            wired.bands.append(other)
            await until(lambda: app.failure is not None)
            return app

    assert str(asyncio.run(session()).failure) == "the run is gone"


@pytest.mark.parametrize("size", [(200, 60), (80, 24), (60, 18), (40, 10), (12, 4)])
def test_any_size_is_filled(tmp_path: Path, size: tuple[int, int]) -> None:
    async def session() -> None:
        async with shown(tmp_path, size) as (_, app, pilot):
            assert len(text(app).splitlines()) == size[1]
            await pilot.resize_terminal(100, 30)
            await until(lambda: "the last minute" in text(app))

    asyncio.run(session())


def test_a_picture_can_be_taken(tmp_path: Path) -> None:
    async def session() -> None:
        async with shown(tmp_path) as (_, app, _pilot):
            await asyncio.sleep(0.2)
            assert "<svg" in app.export_screenshot()

    asyncio.run(session())


def test_no_colour_where_none_is_wanted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")

    async def session() -> None:
        async with shown(tmp_path) as (_, app, _pilot):
            styles = [s.style for y in range(24) for s in app.canvas.render_line(y)]
            assert not any(s and (s.color or s.bgcolor) for s in styles)
            assert any(s and s.bold for s in styles)

    asyncio.run(session())

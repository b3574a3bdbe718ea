"""The live view in a terminal: draws the lines of ``serial_live_view``, hears the keys.

A thread runs the session and puts its events into a queue; the terminal takes them out a dozen
times a second and draws the lines that have changed. Colours are the terminal's own background and
tones that stand out from black and from white.
"""

from __future__ import annotations

import os
import queue
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import ClassVar, Final

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.app import App, ComposeResult
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from tinyhar.band.history import History
from tinyhar.band.session import Event, Joined, Lost, Moved, Session
from tinyhar.cli.serial_live_lines import Line, colourless, style
from tinyhar.cli.serial_live_record import Recording
from tinyhar.cli.serial_live_view import Screen, lay_out
from tinyhar.errors import TinyharError

FRAMES_PER_SECOND: Final = 12
"""As often as pieces of movement come."""

MESSAGE_SECONDS: Final = 8.0
"""How long a message stays."""


class Canvas(Widget, can_focus=False):
    """Shows lines, and draws again those that are new."""

    DEFAULT_CSS = "Canvas { width: 1fr; height: 1fr; background: ansi_default; }"

    def __init__(self) -> None:
        super().__init__()
        self._strips: list[Strip] = []
        self._lines: list[Line] = []
        tones = colourless if os.environ.get("NO_COLOR") else style
        self._style: Callable[[str], Style] = lambda tone: Style.parse(tones(tone))

    def show(self, lines: list[Line]) -> None:
        """These from now on."""
        before, self._lines = self._lines, lines
        if len(before) != len(lines):
            self._strips = [self._strip(line) for line in lines]
            self.refresh()
            return
        changed = [y for y, line in enumerate(lines) if line != before[y]]
        for y in changed:
            self._strips[y] = self._strip(lines[y])
        if changed:
            self.refresh(*(Region(0, y, self.size.width, 1) for y in changed))

    def render_line(self, y: int) -> Strip:
        """One line, as Textual asks for it."""
        return self._strips[y] if y < len(self._strips) else Strip.blank(self.size.width)

    def _strip(self, line: Line) -> Strip:
        return Strip([Segment(text, self._style(tone)) for text, tone in line.pieces])


class LiveApp(App[None]):
    """The live view. ``failure`` holds what ended it, if anything did."""

    CSS = "Screen { background: ansi_default; }"
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar = [("ctrl+c", "quit", "Quit"), ("q", "quit", "Quit")]

    def __init__(
        self,
        session: Session,
        first: Joined,
        following: Iterator[Event],
        folder: Path,
        subject: str,
    ) -> None:
        """``following`` is the session's iterator of events, behind the first."""
        super().__init__(ansi_color=True)
        self.session, self.following = session, following
        self.history = History(first.sensing)
        self.recording = Recording(folder, subject)
        self.view = Screen(title=_title(first), words=first.source.words, folder=str(folder))
        self.failure: BaseException | None = None
        self._known_classes = first.sensing.classes
        self.canvas = Canvas()
        self._events: queue.SimpleQueue[Event | BaseException] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run_session, daemon=True)
        self._lost_at = self._told_at = time.monotonic()

    def compose(self) -> ComposeResult:
        """One widget."""
        yield self.canvas

    def on_mount(self) -> None:
        """Starts the session's thread and the clock of the pictures."""
        self._thread.start()
        self.set_interval(1 / FRAMES_PER_SECOND, self.draw)

    def on_unmount(self) -> None:
        """Ends both, and what is being recorded."""
        self.session.stop()
        self._tell(self.recording.end)

    def let_go(self, seconds: float = 2.0) -> None:
        """Wait until the port is free; a band that is being looked for is left behind."""
        self._thread.join(seconds)

    def _run_session(self) -> None:
        try:
            for event in self.following:
                self._events.put(event)
        except BaseException as error:  # whatever it is, the view must end with it
            self._events.put(error)

    # -- pictures ----------------------------------------------------------------------------

    def draw(self) -> None:
        """Takes in what has happened, and shows it unless the picture is held."""
        while not self._events.empty():
            self._take(self._events.get())
        now = time.monotonic()
        if now > self._told_at + MESSAGE_SECONDS:
            self.view.message = ""
        self.view.away = now - self._lost_at if self.history.lost else 0.0
        self.view.recorded = self.recording.seconds
        if not self.view.paused:
            self.show()

    def show(self) -> None:
        """Draws."""
        self.canvas.show(lay_out(self.history, self.view, *self.size))

    def _take(self, event: Event | BaseException) -> None:
        if isinstance(event, BaseException):
            self.failure = event
            self.exit()
            return
        self.history.take(event)
        if isinstance(event, Joined):
            self.view.title, self.view.words = _title(event), event.source.words
            if event.sensing.classes != self._known_classes:
                self._known_classes, self.view.label = event.sensing.classes, None
            if event.away:
                self.say(f"the band is back after {event.away:.1f} s")
        elif isinstance(event, Lost):
            self._lost_at = time.monotonic()
            self._tell(self.recording.cut)
        elif isinstance(event, Moved):
            self._tell(lambda: self.recording.add(event, self.history.sensing, self._doing))

    @property
    def _doing(self) -> str:
        """The label in force; "" if there is none."""
        label, classes = self.view.label, self.history.sensing.classes
        return "" if label is None or label >= len(classes) else classes[label]

    def _tell(self, do: Callable[[], str]) -> None:
        try:
            message = do()
        except TinyharError as error:
            message = str(error)
        if message:
            self.say(message)

    def say(self, message: str) -> None:
        """For a while, above the keys."""
        self.view.message, self._told_at = message, time.monotonic()

    # -- keys --------------------------------------------------------------------------------

    def on_key(self, event: events.Key) -> None:
        """What a key does."""
        name, letter = event.key, event.character or ""
        if name == "space":
            self.view.paused = not self.view.paused
        elif name == "r":
            self._tell(lambda: self.recording.switch(self.history.sensing))
        elif name == "c":
            self.history.clear()
        elif letter == "?":
            self.view.help = not self.view.help
        elif letter.isdecimal() and len(letter) == 1:
            self._label(int(letter))
        else:
            return
        self.view.recorded = self.recording.seconds
        self.show()

    def on_resize(self) -> None:
        """The terminal has another size."""
        self.show()

    def _label(self, key: int) -> None:
        classes = self.history.sensing.classes
        if key > len(classes):
            self.say(f"there is no class {key}; ? lists them")
            return
        self.view.label = key - 1 if key else None
        doing = f"label: {self._doing}" if key else "no label"
        self.say(doing if self.recording.seconds is not None else f"{doing}; r starts a recording")


def _title(joined: Joined) -> str:
    return f"{joined.sensing.identity.board} on {joined.url}"

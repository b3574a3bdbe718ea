"""What native code writes is held back, and shown when it matters."""

from __future__ import annotations

import ctypes
import os
from pathlib import Path

import pytest

from tinyhar.terminal import native_output_held_back

pytestmark = pytest.mark.skipif(os.name != "posix", reason="writes through the C library")


def chatter() -> None:
    os.write(1, b"one ")
    os.write(2, b"two ")
    ctypes.CDLL(None).printf(b"three ")  # stays in the C library's buffer


def test_what_succeeds_is_silent_and_its_words_are_kept(capfd: pytest.CaptureFixture[str]) -> None:
    print("before")
    with native_output_held_back() as held:
        chatter()
    print("after")
    assert {"one", "two", "three"} <= set(held.text.split())
    assert capfd.readouterr() == ("before\nafter\n", "")


def test_what_fails_tells_all(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError, match="no"), native_output_held_back():
        chatter()
        raise ValueError("no")
    out, err = capfd.readouterr()
    assert out == ""
    assert {"one", "two", "three"} <= set(err.split())


def test_no_descriptor_is_lost() -> None:
    own = Path("/proc/self/fd")

    def opened() -> int:
        return len(list(own.iterdir()))

    if not own.is_dir():
        pytest.skip("no /proc")
    before = opened()
    for _ in range(3):
        with native_output_held_back():
            pass
    assert opened() == before

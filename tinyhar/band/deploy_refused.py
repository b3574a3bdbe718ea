"""Why a band does not take a bundle, with the remedy."""

from __future__ import annotations

from collections.abc import Callable

from tinyhar.band.client import Client
from tinyhar.band.codes import Engine, ErrorCode, name_of
from tinyhar.band.deploy_file import BundleFile
from tinyhar.band.errors import BandRefused
from tinyhar.errors import BandError


class NotDeployed(BandError):  # noqa: N818 - the name says what happened
    """The band does not take a bundle, and runs on with what it ran."""

    def __init__(self, text: str, code: int = 0) -> None:
        self.code = code
        super().__init__(text)


def explain(refusal: BandRefused, file: BundleFile, client: Client) -> NotDeployed:
    """The refusal as one line that names the file and says what to do."""
    tell = _REMEDIES.get(refusal.code)
    remedy = tell(refusal, file, client) if tell else str(refusal)
    text = f"{file.source}: {remedy}; the band runs on with what it ran"
    return NotDeployed(text, refusal.code)


def _engine(refusal: BandRefused, file: BundleFile, client: Client) -> str:
    band = name_of(Engine, client.identity.engine)
    return (
        f"is for engine {file.bundle.engine}, and the band's firmware has {band}: "
        f"make the bundle with engine {band}, or build firmware with {file.bundle.engine}"
    )


def _room(refusal: BandRefused, file: BundleFile, client: Client) -> str:
    bundle = file.bundle
    needs = {
        "window": f"a window of {bundle.window} samples of {len(bundle.channels)} channels",
        "classes": f"{len(bundle.classes)} classes",
        "arena_bytes": f"{bundle.arena_bytes:,} bytes of working memory",
        "smooth_length": f"smoothing over {bundle.smoothing.length} windows",
    }
    field = refusal.text.rsplit(": ", 1)[-1]
    need = needs.get(field, f"{len(file.data):,} bytes of flash")
    return f"needs {need}, more than this band has: build its firmware around this bundle"


def _sensors(refusal: BandRefused, file: BundleFile, client: Client) -> str:
    bundle = file.bundle
    field = refusal.text.rsplit(": ", 1)[-1]
    wants = f"{bundle.rate:g} Hz" if field == "rate" else ", ".join(bundle.channels)
    return (
        f"wants {wants} at its own scale, and that is not what this band delivers: "
        "train it for this band, or, if its samples come from a host, use --any-sensors"
    )


def _damaged(refusal: BandRefused, file: BundleFile, client: Client) -> str:
    return f"did not arrive whole ({refusal.text}): deploy it again with --full"


def _trial(refusal: BandRefused, file: BundleFile, client: Client) -> str:
    return (
        f"failed its trial on the band ({refusal.text}): "
        "make it again with this tinyhar, and build the firmware from the same"
    )


def _flash(refusal: BandRefused, file: BundleFile, client: Client) -> str:
    return (
        f"cannot be stored ({refusal.text}): try again; if it fails again the flash is worn, or, "
        "on the host port, the disk is full"
    )


_REMEDIES: dict[int, Callable[[BandRefused, BundleFile, Client], str]] = {
    ErrorCode.OTHER_ENGINE: _engine,
    ErrorCode.NO_ROOM: _room,
    ErrorCode.OTHER_SENSORS: _sensors,
    ErrorCode.DAMAGED: _damaged,
    ErrorCode.TRIAL_FAILED: _trial,
    ErrorCode.FLASH: _flash,
    ErrorCode.UNKNOWN_REQUEST: lambda *_: (
        "the band's firmware has no model store: build and flash firmware of this tinyhar"
    ),
}

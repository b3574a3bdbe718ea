"""What can go wrong between a desk and a band; each is one line with a remedy."""

# ruff: noqa: N818 - the names say what happened, and the family that they belong to says Error.

from __future__ import annotations

from tinyhar.errors import BandError


class LinkError(BandError):
    """The port cannot be opened, is taken, or went away."""


class SilentBand(BandError):
    """Nothing answers, or what answers is no band."""


class StreamBegan(BandError):
    """The band began its stream anew: a button was pressed, settings or classes changed."""


class OtherProtocol(BandError):
    """The band speaks another version of the protocol."""

    def __init__(self, ours: int, theirs: int | str) -> None:
        super().__init__(
            f"the band speaks another protocol (ours is version {ours}, its {theirs}): "
            "build and flash firmware of this tinyhar, or use the tinyhar that built it"
        )


class OtherModel(BandError):
    """The band runs another model than the desk compares it with."""


class MessageError(BandError):
    """A whole frame, its CRC right, whose body is not what its type says."""


class BandRefused(BandError):
    """The band answered a request with an error."""

    def __init__(self, code: int, code_name: str, request: str, text: str) -> None:
        self.code = code
        self.text = text
        super().__init__(f"the band refused {request}: {code_name}" + (f", {text}" if text else ""))


class BandRestarted(BandError):
    """The band started anew while it owed an answer."""

    def __init__(self, reason: str, during: str) -> None:
        self.reason = reason
        super().__init__(
            f"the band restarted while {during} was under way (reason: {reason}); "
            "run the command again, and `doctor` if it comes back"
        )

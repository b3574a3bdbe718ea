"""The bundle that is to be deployed: read from a file or a run's folder, and checked whole."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from pathlib import Path

from tinyhar.band.codes import Engine
from tinyhar.band.deploy_messages import Begin
from tinyhar.band.desk import BUNDLE
from tinyhar.convert.bundle import Bundle, unpack
from tinyhar.convert.bundle_format import open_header
from tinyhar.convert.bundle_reader import sections
from tinyhar.errors import DataError, ModelError


@dataclass(frozen=True)
class BundleFile:
    """A whole, undamaged bundle: its bytes and what they mean."""

    source: str
    data: bytes
    bundle: Bundle
    bundle_id: bytes

    def begin(self, *, any_sensors: bool = False) -> Begin:
        """The request that announces it to a band."""
        header = open_header(self.data, self.source)
        channels = sections(header, self.data, self.source)[1]
        return Begin(
            bundle_bytes=len(self.data),
            crc32=header["crc32"],
            bundle_id=self.bundle_id,
            window=header["window"],
            channels=header["channels"],
            classes=header["classes"],
            engine=header["engine"],
            smooth_length=header["smooth_length"],
            arena_bytes=header["arena_bytes"],
            rate_mhz=header["rate"],
            channels_crc32=zlib.crc32(channels),
            any_sensors=int(any_sensors),
        )

    @property
    def engine(self) -> Engine:
        """What runs its model."""
        return Engine[self.bundle.engine.upper()]


def read_bundle_file(path: Path) -> BundleFile:
    """A bundle's file, or the one in a run's folder.

    Raises:
        DataError: there is none, or it cannot be read.
        ModelError: it is damaged, if only in one bit, or no bundle.
    """
    file = path / BUNDLE if path.is_dir() else path
    try:
        data = file.read_bytes()
    except OSError as error:
        raise DataError(
            f"{file}: cannot be read ({error.strerror}); name a bundle (.thb) or the folder of a "
            "finished run"
        ) from error
    return of_bytes(data, str(file))


def of_bytes(data: bytes, source: str = "bundle") -> BundleFile:
    """The same of bytes that are there already."""
    try:
        bundle = unpack(data, source)
    except ModelError as error:
        raise ModelError(f"{error}; copy it again, or make it again with `tinyhar run`") from error
    return BundleFile(source, data, bundle, bytes(open_header(data, source)["identity"]))

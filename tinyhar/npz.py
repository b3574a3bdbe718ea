"""What numpy raises for an .npz file that is missing, cut off, damaged or short of an array."""

import zlib
from zipfile import BadZipFile

UNREADABLE = (OSError, ValueError, KeyError, EOFError, BadZipFile, zlib.error)

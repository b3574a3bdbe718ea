"""What somebody wore: recordings, one reader a data set, a user's own files, synthetic movement."""

from tinyhar.recordings.align import Aligned, align
from tinyhar.recordings.catalogue import DATASETS, DatasetInfo
from tinyhar.recordings.clock import Clock, estimate_clock
from tinyhar.recordings.recording import (
    STANDARD_GRAVITY,
    UNLABELLED,
    Channel,
    Recording,
    digest,
    triaxial,
)
from tinyhar.recordings.registry import data_root, dataset, load, stamp

__all__ = [
    "DATASETS",
    "STANDARD_GRAVITY",
    "UNLABELLED",
    "Aligned",
    "Channel",
    "Clock",
    "DatasetInfo",
    "Recording",
    "align",
    "data_root",
    "dataset",
    "digest",
    "estimate_clock",
    "load",
    "stamp",
    "triaxial",
]

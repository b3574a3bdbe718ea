"""Every data set that tinyhar can read: what it is, where it comes from, how it is recognised."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Final

from tinyhar.recordings import (
    csv,
    dsads,
    hapt,
    motionsense,
    openpack,
    pamap2,
    realdisp,
    spsw,
    synthetic,
    ucihar,
    wisdm,
)
from tinyhar.recordings.recording import Recording
from tinyhar.recordings.source import Folder, Source, find

BRIEF: Final = 58
"""So that a list fits a terminal of 80 columns."""

_UCI: Final = "https://archive.ics.uci.edu"


@dataclass(frozen=True)
class DatasetInfo:
    """A data set: what it is, where it comes from, how it is recognised and read.

    ``title`` is a sentence for reports, ``brief`` at most BRIEF characters for a list.
    ``size`` (bytes) and ``sha256`` are the official archive's, None where nobody published them.
    ``archives[0]`` is the file name it is saved under; ``marker`` is a glob that matches inside an
    extracted copy. ``version`` grows when ``read`` gives other recordings for the same files.
    """

    name: str
    title: str
    brief: str
    homepage: str
    licence: str
    read: Callable[[Source], list[Recording]]
    url: str | None = None
    archives: tuple[str, ...] = ()
    marker: str = ""
    size: int | None = None
    sha256: str | None = None
    version: int = 1
    by_hand: str = ""
    part_of: str = ""
    """The set whose files these are too; "" for a whole set."""

    @property
    def folder(self) -> str:
        """Its folder under the data root."""
        return self.part_of or self.name

    @property
    def made_here(self) -> bool:
        """True for movement that is computed, not recorded."""
        return not self.marker

    def find(self, root: Path) -> Source | None:
        """Its files under ``root``, or None."""
        if self.name == "csv":  # a user's folder has no shape to look for, and may be the root
            places = (root / self.folder, root)
            found = (Folder(p, self.marker) for p in places if next(p.glob(self.marker), None))
            return next(found, None)
        return find(root, self.folder, self.archives, self.marker)


def _register(*infos: DatasetInfo) -> dict[str, DatasetInfo]:
    return {info.name: info for info in infos}


_REALDISP: Final = DatasetInfo(
    name="realdisp",
    title="REALDISP: nine units, placed ideally, by their wearers, or displaced; 33 exercises",
    brief="9 units, placed well, by the wearer, displaced: 33 moves",
    homepage=f"{_UCI}/dataset/305",
    url=f"{_UCI}/static/public/305/realdisp+activity+recognition+dataset.zip",
    licence="CC BY 4.0",
    archives=("realdisp+activity+recognition+dataset.zip", "realistic_sensor_displacement.zip"),
    marker="subject*_[ism]*.log",
    read=realdisp.read,
)


def _scenario(name: str, what: str) -> DatasetInfo:
    return replace(
        _REALDISP,
        name=f"realdisp-{name}",
        title=f"REALDISP, {what}; 33 exercises",
        brief=what,
        part_of="realdisp",
        read=partial(realdisp.read, scenario=name),
    )


DATASETS: Final[dict[str, DatasetInfo]] = _register(
    DatasetInfo(
        name="hapt",
        title="HAPT: daily activities and postural transitions, phone on the waist",
        brief="phone on the waist: 6 activities, 6 transitions",
        homepage=f"{_UCI}/dataset/341",
        url=f"{_UCI}/static/public/341/"
        "smartphone+based+recognition+of+human+activities+and+postural+transitions.zip",
        licence="CC BY 4.0",
        archives=("HAPT_Data_Set.zip", "HAPT Data Set.zip"),
        marker="RawData/labels.txt",
        read=hapt.read,
    ),
    DatasetInfo(
        name="dsads",
        title="Daily and Sports Activities: five body-worn units, nineteen activities",
        brief="units on torso, wrists, legs: 19 daily and sports moves",
        homepage=f"{_UCI}/dataset/256",
        url=f"{_UCI}/static/public/256/daily+and+sports+activities.zip",
        licence="CC BY 4.0",
        archives=("data.zip", "daily+and+sports+activities.zip"),
        marker="a01/p*/s*.txt",
        read=dsads.read,
    ),
    DatasetInfo(
        name="motionsense",
        title="MotionSense: phone in the front trouser pocket, six activities",
        brief="phone in the trouser pocket: 6 activities",
        homepage="https://github.com/mmalekzadeh/motion-sense",
        url="https://github.com/mmalekzadeh/motion-sense/raw/master/data/A_DeviceMotion_data.zip",
        licence="MIT",
        archives=("A_DeviceMotion_data.zip",),
        marker="dws_*/sub_*.csv",
        read=motionsense.read,
    ),
    DatasetInfo(
        name="spsw",
        title="Smartphone and smartwatch at once: sit, stand up, walk, turn, sit down",
        brief="phone and watch: sit, stand up, walk, turn, sit down",
        homepage="https://doi.org/10.5281/zenodo.8398688",
        url="https://zenodo.org/records/8398688/files/DATA.zip",
        licence="CC BY 4.0",
        archives=("DATA.zip",),
        marker="s[0-9][0-9]/s*_s[pw].csv",
        read=spsw.read,
        version=2,
    ),
    DatasetInfo(
        name="ucihar",
        title="UCI HAR: phone on the waist, already cut into windows (HAPT has the raw signals)",
        brief="phone on the waist: 6 activities, already cut into windows",
        homepage=f"{_UCI}/dataset/240",
        url=f"{_UCI}/static/public/240/human+activity+recognition+using+smartphones.zip",
        licence="CC BY 4.0",
        archives=("UCI_HAR_Dataset.zip", "UCI HAR Dataset.zip"),
        marker="train/Inertial Signals/total_acc_x_train.txt",
        read=ucihar.read,
    ),
    DatasetInfo(
        name="wisdm",
        title="WISDM v1.1: phone in the front trouser pocket, accelerometer only",
        brief="phone in the trouser pocket, no gyroscope: 6 activities",
        homepage="https://www.cis.fordham.edu/wisdm/dataset.php",
        url="https://www.cis.fordham.edu/wisdm/includes/datasets/latest/WISDM_ar_latest.tar.gz",
        licence="for research, by its authors' terms",
        archives=("WISDM_ar_latest.tar.gz",),
        marker="WISDM_ar_v1.1_raw.txt",
        read=wisdm.read,
    ),
    DatasetInfo(
        name="pamap2",
        title="PAMAP2: units on hand, chest and ankle, eighteen activities",
        brief="units on hand, chest, ankle: 18 activities",
        homepage=f"{_UCI}/dataset/231",
        url=f"{_UCI}/static/public/231/pamap2+physical+activity+monitoring.zip",
        licence="CC BY 4.0",
        archives=("PAMAP2_Dataset.zip", "pamap2+physical+activity+monitoring.zip"),
        marker="Protocol/subject*.dat",
        read=pamap2.read,
    ),
    _REALDISP,
    _scenario("ideal", "nine units where an expert put them"),
    _scenario("self", "nine units, some where their wearers put them"),
    _scenario("mutual", "nine units, four to seven displaced on purpose"),
    DatasetInfo(
        name="openpack",
        title="OpenPack: four units on wrists and upper arms, ten operations of packing parcels",
        brief="units on wrists, upper arms: 10 steps of packing parcels",
        homepage="https://open-pack.github.io",
        licence="CC BY-NC-SA 4.0",
        marker="U0[12][0-9][0-9]*",
        by_hand="it comes as an archive a worker: get U0101.zip and the others from "
        "https://zenodo.org/records/8145223 into {folder}; they need not be unpacked",
        read=openpack.read,
    ),
    DatasetInfo(
        name="csv",
        title="Your own recordings, one .csv file each (`tinyhar data info csv` tells the format)",
        brief="your own recordings, one .csv file each",
        homepage="",
        licence="yours",
        marker="*.csv",
        by_hand="put your recordings into {folder} as .csv files; "
        "`tinyhar data info csv` tells how they look",
        read=csv.read,
        version=2,
    ),
    DatasetInfo(
        name="synthetic",
        title="Synthetic wrist movement, computed here from a model of an arm; nobody wore it",
        brief="a wrist computed here, worn by nobody: 7 activities",
        homepage="",
        licence="Apache-2.0",
        read=synthetic.read,
    ),
)

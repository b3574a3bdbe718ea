"""What a band was taught, and the answers that it gives since: computed here with its own bytes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tinyhar.band.client import Client
from tinyhar.band.codes import NONE, ErrorCode, What
from tinyhar.band.errors import BandRefused
from tinyhar.band.teach_messages import Taught
from tinyhar.convert.teaching import Teaching


@dataclass(frozen=True, eq=False)
class Lesson:
    """A class that the band was taught: ``mean`` is int8 [embedding]."""

    class_index: int
    name: str
    windows: int
    seconds: float
    mean: npt.NDArray[np.int8]


def lessons(client: Client) -> tuple[Lesson, ...]:
    """What the band was taught; nothing, of a firmware that cannot be taught."""
    found: list[Lesson] = []
    if not client.identity.classes:
        return ()
    names: tuple[str, ...] = ()
    for entry in range(NONE):
        try:
            answer = client.exchange.request(Taught(entry))
        except BandRefused as refusal:
            if refusal.code in (ErrorCode.UNKNOWN_REQUEST, ErrorCode.UNSUPPORTED):
                return ()
            raise
        if answer.class_index == NONE:
            break
        names = names or client.names(What.CLASS_NAME)
        seconds = answer.samples / (client.identity.rate_mhz / 1000)
        mean = np.frombuffer(answer.mean, np.int8)
        index = answer.class_index
        found.append(Lesson(index, names[index], answer.windows, seconds, mean))
    return tuple(found)


def answers(
    teaching: Teaching, taught: tuple[Lesson, ...], embeddings: npt.NDArray[np.int8]
) -> npt.NDArray[np.int8]:
    """Logits int8 [n, classes] that a band with these lessons gives, of embeddings int8 [n, d]."""
    means = dict(enumerate(teaching.means)) | {one.class_index: one.mean for one in taught}
    return teaching.logits(embeddings, np.stack([means[k] for k in range(len(means))]))

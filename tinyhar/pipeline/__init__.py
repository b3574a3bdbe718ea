"""The main job: recordings in, a band that answers out, stage by stage in one folder."""

from tinyhar.pipeline.progress import Progress, Silence
from tinyhar.pipeline.run import STAGES, advance, run

__all__ = ["STAGES", "Progress", "Silence", "advance", "run"]

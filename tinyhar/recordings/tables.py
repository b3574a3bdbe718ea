"""Numbers in text files to arrays, fast, with errors that name the file and the line."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray

from tinyhar.errors import DataError


def numbers(content: bytes, source: str, *, columns: int, separator: str) -> NDArray[np.float32]:
    """A table of numbers without a header: float32 [row, column], NaN where a field is empty.

    ``separator`` is "," or " " (any white space). Raises DataError for a row that is too long, a
    field that is no number, or a table without rows.
    """
    import pandas

    try:
        table = pandas.read_csv(
            io.BytesIO(content),
            header=None,
            sep="," if separator == "," else r"\s+",
            names=list(range(columns)),
            dtype=np.float32,
            index_col=False,
            engine="c",
        )
    except (ValueError, pandas.errors.ParserError) as error:
        raise DataError(f"{source}: not a table of {columns} numbers a row ({error})") from error
    if not len(table):
        raise DataError(f"{source}: holds no samples")
    return table.to_numpy(np.float32)

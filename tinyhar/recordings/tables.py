"""Numbers in text files to arrays, fast, with errors that name the file and the line."""

from __future__ import annotations

import io
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyhar.errors import DataError


def numbers(content: bytes, source: str, *, columns: int, separator: str) -> NDArray[np.float32]:
    """A table of numbers without a header: float32 [row, column], NaN where a field is empty.

    ``separator`` is a character; " " stands for any white space. Raises DataError for a row that is
    too long, a field that is no number, or a table without rows.
    """
    import pandas

    try:
        with warnings.catch_warnings():  # pandas only warns of surplus fields, then drops them
            warnings.simplefilter("error", pandas.errors.ParserWarning)
            table = pandas.read_csv(
                io.BytesIO(content),
                header=None,
                sep=r"\s+" if separator == " " else separator,
                names=list(range(columns)),
                dtype=np.float32,
                index_col=False,
                engine="c",
            )
    except (ValueError, pandas.errors.ParserError, pandas.errors.ParserWarning) as error:
        raise DataError(f"{source}: not a table of {columns} numbers a row ({error})") from error
    if not len(table):
        raise DataError(f"{source}: holds no samples")
    return table.to_numpy(np.float32)


def named(content: bytes, source: str, columns: Sequence[str], text: Sequence[str] = ()) -> Any:
    """A table with a header line: a pandas frame with just these columns, ``text`` ones as str.

    Raises DataError that names a missing column or the first field that is no number.
    """
    import pandas

    wanted = [*columns, *text]
    try:
        head = pandas.read_csv(io.BytesIO(content), nrows=0, skipinitialspace=True)
        missing = [column for column in wanted if column not in head.columns]
        if missing:
            raise DataError(
                f"{source}: no column {', '.join(missing)}; there is {', '.join(head.columns)}"
            )
        table = pandas.read_csv(
            io.BytesIO(content),
            usecols=wanted,
            dtype=dict.fromkeys(columns, np.float64) | dict.fromkeys(text, str),
            # An activity may be called "None": only numbers have words that mean "missing".
            keep_default_na=False,
            na_values={column: ["", "NaN", "nan", "NA"] for column in columns},
            skipinitialspace=True,
        )
    except (ValueError, pandas.errors.ParserError) as error:
        raise DataError(f"{source}: not a table with a header ({error})") from error
    if not len(table):
        raise DataError(f"{source}: holds no samples")
    return table

"""Parquet → records of text, a few rows at a time."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from preprocessing.table_common import MAX_COLUMNS, Records, TableError, check_cells, number_text

_BATCH = 256  # rows; each may hold cells of megabytes
_TICKS = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}  # per second


def parquet_records(path: Path) -> Records:
    """The column names as record 0, then each row from 1; TableError if a column has no text form."""
    line = 0
    with _damage(lambda: line), _opened(path) as file:
        schema = file.schema_arrow
        if len(schema) > MAX_COLUMNS:
            raise TableError("too_many_columns", {"found": len(schema), "limit": MAX_COLUMNS})
        writers = [_writer(field) for field in schema]
        yield 0, list(schema.names)
        for batch in file.iter_batches(_BATCH, use_threads=False):
            columns = [write(column) for write, column in zip(writers, batch.columns, strict=True)]
            for row in zip(*columns, strict=True):
                line += 1
                cells = list(row)
                check_cells(cells, line)
                yield line, cells


def _opened(path: Path) -> pq.ParquetFile:
    return pq.ParquetFile(path, buffer_size=1 << 20, pre_buffer=False)  # page by page, not a row group at once


@contextmanager
def _damage(line: Callable[[], int]) -> Iterator[None]:
    try:
        yield
    except (TableError, MemoryError):
        raise
    except Exception as error:  # Arrow raises OSError, ValueError, UnicodeDecodeError and more on bad bytes
        at = {"line": line() + 1} if line() else {}
        raise TableError("damaged_row" if at else "damaged", {"format": "Parquet", **at}) from error


def _writer(field: pa.Field) -> Callable[[pa.Array], list[str]]:
    """What turns a column of this type into text, "" for null."""
    type_ = field.type
    if pa.types.is_dictionary(type_):
        inner = _writer(pa.field(field.name, type_.value_type))
        return lambda column: inner(column.dictionary_decode())
    for fits, write in _WRITERS:
        if fits(type_):
            return write
    raise TableError("column_type", {"name": field.name, "type": str(type_)})


def _strings(column: pa.Array) -> list[str]:
    return ["" if value is None else value for value in column.to_pylist()]


def _plain(column: pa.Array) -> list[str]:
    return _strings(column.cast(pa.string()))


def _floats(column: pa.Array) -> list[str]:
    return [number_text(float(text)) if text else "" for text in _plain(column)]  # by text: 0.1 as float32 stays 0.1


def _booleans(column: pa.Array) -> list[str]:
    return [text.upper() for text in _plain(column)]


def _decimals(column: pa.Array) -> list[str]:
    return ["" if value is None else format(value, "f") for value in column.to_pylist()]


def _times(column: pa.Array) -> list[str]:
    return [text.rstrip("0").removesuffix(".") if "." in text else text for text in _plain(column)]


def _moments(column: pa.Array) -> list[str]:
    texts = [text.replace(" ", "T") for text in _times(column.cast(pa.timestamp(column.type.unit)))]
    if column.type.tz:  # such columns hold UTC: the zone's rules are not needed to write the moment
        return [text and f"{text}Z" for text in texts]
    return [text.removesuffix("T00:00:00") for text in texts]


def _durations(column: pa.Array) -> list[str]:
    per_second = _TICKS[column.type.unit]
    ticks = column.cast(pa.int64()).to_pylist()
    return ["" if tick is None else f"PT{Decimal(tick) / per_second:f}S" for tick in ticks]


_WRITERS: list[tuple[Callable[[pa.DataType], bool], Callable[[pa.Array], list[str]]]] = [
    (lambda type_: pa.types.is_string(type_) or pa.types.is_large_string(type_), _strings),
    (pa.types.is_string_view, _strings),
    (pa.types.is_integer, _plain),
    (pa.types.is_floating, _floats),
    (pa.types.is_boolean, _booleans),
    (pa.types.is_decimal, _decimals),
    (pa.types.is_timestamp, _moments),
    (pa.types.is_date, _plain),
    (pa.types.is_time, _times),
    (pa.types.is_duration, _durations),
    (pa.types.is_null, _plain),
]

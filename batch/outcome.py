"""What classifying a row leaves behind: its cells and the answer, as Arrow tables of some thousand rows (parts)."""

from collections.abc import Sequence

import pyarrow as pa

from model.product import Prediction

TOP = 9
"""Categories kept per row: as many as a moderator has number keys for."""
EARLIER_TOP = 5
"""As many are in the parts of jobs begun before there were nine; such parts are read like the others."""

_INPUTS = {(True, True): "text+image", (True, False): "text", (False, True): "image", (False, False): "none"}


def part_schema(columns: int, top: int = TOP) -> pa.Schema:
    """Columns of a part of a table that has `columns`: its cells c0, c1, … and what was found.

    "code1".."code9" and "probability1".."probability9" are null past the last category of the taxonomy.
    "picture" is "" when none was asked for, "used", or the reason why it was not used.
    """
    ranks = range(1, top + 1)
    return pa.schema(
        [
            *[(f"c{i}", pa.string()) for i in range(columns)],
            *[(f"code{rank}", pa.int32()) for rank in ranks],
            *[(f"probability{rank}", pa.float32()) for rank in ranks],
            ("inputs", pa.string()),
            ("picture", pa.string()),
            ("set_size", pa.int16()),
        ]
    )


def part(rows: Sequence[Sequence[str]], predictions: Sequence[Prediction], pictures: Sequence[str]) -> pa.Table:
    """The part for `rows` (at least one, all of one length), their predictions and the fate of their pictures.

    A picture that the classifier could not read says so in its prediction, which counts more than `pictures`.
    """
    if not rows or not len(rows) == len(predictions) == len(pictures):
        raise ValueError(f"{len(rows)} rows, {len(predictions)} predictions, {len(pictures)} pictures")
    ranked = [prediction.categories[:TOP] for prediction in predictions]
    fates = [
        fate if prediction.image_problem is None else prediction.image_problem.reason
        for prediction, fate in zip(predictions, pictures, strict=True)
    ]
    columns = [
        *zip(*rows, strict=True),
        *_by_rank([[category.code for category in categories] for categories in ranked]),
        *_by_rank([[category.probability for category in categories] for categories in ranked]),
        [_INPUTS[prediction.used_text, prediction.used_image] for prediction in predictions],
        fates,
        [len(prediction.prediction_set) for prediction in predictions],
    ]
    schema = part_schema(len(rows[0]))
    arrays = [pa.array(column, field.type) for column, field in zip(columns, schema, strict=True)]
    return pa.Table.from_arrays(arrays, schema=schema)


def _by_rank(values: list[list]) -> list[list]:
    return [[row[rank] if rank < len(row) else None for row in values] for rank in range(TOP)]

"""Three rows in the challenge's layout, to be spoiled one way or another."""

from model.taxonomy import default_taxonomy
from model.training.data import LabelledData, read_labelled
from tests.model.made_up import write_rows

X, Y, TEST = "X_train_update.csv", "Y_train_CVw08PX.csv", "X_test_update.csv"
HEADER = ["", "designation", "description", "productid", "imageid"]
ROWS = [
    [0, "Pompe de piscine", "<p>Débit : 6&nbsp;m3</p>", 101, 201],
    [1, "Canapé d'angle", "", 102, 202],
    [2, "Croquettes pour chat", "NaN", 103, 203],
]
LABELS = [[0, 2583], [1, 1560], [2, 2220]]


def write(folder, rows=ROWS, labels=LABELS, header=HEADER) -> None:
    write_rows(folder / X, [header, *rows])
    write_rows(folder / Y, [["", "prdtypecode"], *labels])


def read(folder, **options) -> LabelledData:
    return read_labelled(folder, default_taxonomy(), **options)

"""Data to train on: read and checked, its duplicates found, split and described."""

from model.training.data.duplicates import groups, text_key, text_keys
from model.training.data.errors import DataError, Problem, SplitError
from model.training.data.examples import NOTICES, Example, LabelledData, TestRow, fingerprint
from model.training.data.labelled import read_labelled, read_unlabelled
from model.training.data.pictures import picture_hashes
from model.training.data.split_files import Split, read_split, write_split
from model.training.data.splitting import folds, split

__all__ = [
    "NOTICES",
    "DataError",
    "Example",
    "LabelledData",
    "Problem",
    "Split",
    "SplitError",
    "TestRow",
    "fingerprint",
    "folds",
    "groups",
    "picture_hashes",
    "read_labelled",
    "read_split",
    "read_unlabelled",
    "split",
    "text_key",
    "text_keys",
    "write_split",
]

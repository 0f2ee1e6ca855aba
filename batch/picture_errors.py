"""What can be wrong with the pictures beside a table: with one of them, or with the whole of them."""

from preprocessing.errors import InputError

_PICTURE = {
    "missing": "No picture is called {name!r}: check the name, or add the picture.",
    "ambiguous": "Several pictures are called {name!r}: give the folder too, or rename them.",
    "too_large": "The picture {name!r} is over the {limit_megabytes} MB limit: send a smaller one.",
    "too_compressed": "The picture {name!r} unpacks to over {limit_ratio} times its size, as decompression bombs do: "
    "save it as JPEG.",
    "encrypted": "The picture {name!r} is behind a password: make the ZIP again without one.",
    "compression": "The picture {name!r} is compressed in a way that is not read: make the ZIP again with the usual "
    "method (deflate).",
    "damaged": "The picture {name!r} is damaged in the archive: make the ZIP again.",
    "unreadable": "The picture {name!r} could not be read from where it is kept ({error}): try again.",
}
_SOURCE = {
    "not_found": "There is no folder and no ZIP at {place!r}: check the address.",
    "address": "{place!r} is not an address that can be read ({error}): give a folder or a ZIP file.",
    "unreadable": "The pictures at {place!r} cannot be read ({error}): check the rights and the connection.",
    "not_a_zip": "{place!r} is not a ZIP file: put the pictures in a folder or in a ZIP.",
    "damaged_zip": "The ZIP {place!r} is damaged or cut short ({error}): make it or send it again.",
    "no_pictures": "{place!r} holds no picture: put JPEG, PNG, WebP, GIF or BMP files in it.",
    "too_many_entries": "{place!r} holds more than {limit} files, or names too long to list: split it.",
    "too_large": "The files in {place!r} unpack to {gigabytes} GB, over the limit of {limit_gigabytes} GB: split it.",
    "overlapping": "Files in the ZIP {place!r} lie over each other, as in a decompression bomb: make it again.",
}


class PictureProblem(InputError):
    """Why one picture cannot be had: `reason` names the cause, `details` (always with "name") fills in a message."""

    SENTENCES = _PICTURE


class PictureSourceError(InputError):
    """A folder or ZIP refused as a whole: `reason` names the cause, `details` (always with "place") the rest."""

    SENTENCES = _SOURCE

"""Why a picture cannot be used, in the language of the page."""

from preprocessing.image import ImageError
from ui.language import N_, _, number

MESSAGES = {
    "empty": N_("The image file is empty (0 bytes): send the picture again."),
    "too_large_bytes": N_("The file is {megabytes} MB, over the {limit_megabytes} MB limit: send a smaller one."),
    "too_many_pixels": N_(
        "The picture has {width} × {height} pixels ({megapixels} million), above the limit of "
        "{limit_megapixels} million: send a smaller one."
    ),
    "not_an_image": N_("The file is not an image: send a picture as one of {formats}."),
    "format_not_allowed": N_("{format} is not accepted: save the picture as one of {formats} and send that."),
    "damaged": N_("The {format} picture is damaged or cut short: export it or send it again."),
}


def image_message(error: ImageError) -> str:
    """What is wrong with the picture and what to do about it."""
    details = {name: _written(value) for name, value in error.details.items()}
    return _(MESSAGES[error.reason]).format(**details)


def _written(value: object) -> str:
    if isinstance(value, float):
        return number(value, 2).rstrip("0").rstrip(".,")
    return number(value) if isinstance(value, int) else str(value)

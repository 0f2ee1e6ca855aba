"""The app as a user meets it, with the bundle that ships."""

import io

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from settings import ROOT


@pytest.fixture
def app() -> AppTest:
    """The app on its first page, in French."""
    return AppTest.from_file(ROOT / "streamlit_app.py", default_timeout=180).run()


@pytest.fixture(scope="session")
def striped_png() -> bytes:
    """A picture that no cache has seen under another name."""
    pixels = np.zeros((120, 160, 3), np.uint8)
    pixels[20:100, 30:130] = (30, 90, 160)
    pixels[20:100, 30:130:9] = 255
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()

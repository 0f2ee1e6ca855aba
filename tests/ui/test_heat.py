import numpy as np
import pytest
from PIL import Image

from ui.heat import colours, overlay, scale_bar


def lightness(rgb: np.ndarray) -> np.ndarray:
    """CIE L* of sRGB colours (n, 3), by its own formula, not the module's."""
    c = rgb / 255
    linear = np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)
    y = linear @ [0.2126, 0.7152, 0.0722]
    return 116 * np.cbrt(np.maximum(y, 0.008856)) - 16


def test_equal_steps_of_heat_are_equal_steps_of_lightness():
    steps = np.diff(lightness(colours()[::15].astype(float)))
    assert (steps > 0).all()
    assert steps.max() < 2 * steps.min()


def test_the_shared_table_cannot_be_changed():
    with pytest.raises(ValueError, match="read-only"):
        colours()[0] = 0


def test_without_heat_or_opacity_the_picture_is_untouched():
    picture = Image.effect_noise((40, 30), 80).convert("RGB")
    heat = np.linspace(0, 1, 1200, dtype=np.float32).reshape(30, 40)
    assert (overlay(picture, np.zeros((30, 40)), 1.0) == np.asarray(picture)).all()
    assert (overlay(picture, heat, 0.0) == np.asarray(picture)).all()


def test_only_the_hot_place_is_coloured_and_with_its_colour():
    picture = Image.new("RGB", (40, 30), (10, 200, 30))
    heat = np.zeros((30, 40), np.float32)
    heat[10:20, 5:15] = 1
    shown = overlay(picture, heat, 1.0)
    assert (shown[10:20, 5:15] == colours()[-1]).all()
    assert (shown[heat == 0] == (10, 200, 30)).all()


def test_the_legend_runs_from_least_to_most():
    bar = scale_bar(64, 4)
    assert bar.shape == (4, 64, 3)
    assert (bar[0, 0] == colours()[0]).all()
    assert (bar[0, -1] == colours()[-1]).all()

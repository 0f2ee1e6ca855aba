import re
import tomllib

import pytest
from streamlit import config

from settings import ROOT
from ui.style import _quoted, literal


@pytest.mark.parametrize("text", ['a "b" c', "</style><script>", "back\\slash"])
def test_a_translated_string_cannot_end_the_style_element(text):
    quoted = _quoted(text)
    assert quoted[0] == quoted[-1] == '"'
    assert "<" not in quoted
    assert '"' not in quoted[1:-1].replace('\\"', "")


@pytest.mark.parametrize(
    "text",
    ["see http://evil.example/a?b=c#d", "HTTPS://evil.example", "(www.evil.example)", "http://http://evil.example",
     "Www.x.example,www.y.example", "a@b.example https://c.example"],
)  # fmt: skip
def test_an_address_in_a_text_is_no_link(text):
    """By the pattern with which remark-gfm looks through texts, after what is escaped has been taken as it stands."""
    shown = re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", literal(text))
    assert shown.replace("\u2060", "") == text, "nothing that one sees is another"
    assert not re.search(r"(https?://|www(?=\.))([-.\w]+)", shown, re.IGNORECASE)
    assert re.search(r"(https?://|www(?=\.))([-.\w]+)", text, re.IGNORECASE)


@pytest.mark.parametrize(
    "text", ["Lampe à 5 € / pièce", "a: b", "x @ y", "wwwa.b", "*a* <b> [c](d)", "anna@example.org"]
)
def test_any_other_text_is_left_alone(text):
    assert re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", literal(text)) == text


def options(table: dict, prefix: str = ""):
    for key, value in table.items():
        if isinstance(value, dict):
            yield from options(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def test_streamlit_knows_every_option_of_the_configuration():
    configured = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text("utf-8"))
    known = set(config.get_config_options())
    assert [name for name, _ in options(configured) if name not in known] == []


def test_nothing_in_the_configuration_points_outside():
    text = (ROOT / ".streamlit" / "config.toml").read_text("utf-8")
    configured = dict(options(tomllib.loads(text)))
    assert "://" not in text
    assert configured["browser.gatherUsageStats"] is False
    assert configured["client.showErrorDetails"] == "none"
    assert configured["server.scriptHealthCheckEnabled"] is True


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_text_is_legible_on_its_background(theme):
    def luminance(colour: str) -> float:
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    chosen = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text("utf-8"))["theme"][theme]
    background = luminance(chosen["backgroundColor"])
    # The third chart colour is text; see ui/charts.py.
    for colour in (chosen["textColor"], chosen["chartCategoricalColors"][2]):
        light, dark = sorted((luminance(colour), background), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= 7

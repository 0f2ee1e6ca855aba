"""Example products to try with one click; `ui.gallery.draw` drew their pictures."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from ui.language import N_

FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Example:
    """A listing in French as on the marketplace; ``title`` and ``alt`` are translated where shown."""

    name: str
    title: str
    alt: str
    designation: str
    description: str = ""

    @cached_property
    def image(self) -> bytes:
        """The picture's file."""
        return (FOLDER / f"{self.name}.png").read_bytes()


EXAMPLES = (
    Example(
        "cushion",
        N_("Cushion"),
        N_("Drawing of a cushion with blue and white stripes"),
        "Housse de coussin rayée bleu et blanc 45x45 cm",
    ),
    Example(
        "lamp",
        N_("Bedside lamp"),
        N_("Drawing of a lamp with a wooden foot and a pale shade"),
        "Lampe de chevet en bois avec abat-jour en tissu",
        "Lampe à poser, hauteur 38 cm. Douille E27, ampoule LED non fournie.",
    ),
    Example(
        "chess",
        N_("Chess set"),
        N_("Drawing of a wooden chess board with four pieces"),
        "Jeu d'échecs en bois pliable 30 x 30 cm",
        "Plateau et 32 pièces, pour deux joueurs à partir de 6 ans.",
    ),
    Example(
        "gamepad",
        N_("Gamepad"),
        N_("Drawing of a dark gamepad with coloured buttons"),
        "Manette sans fil compatible Switch avec vibration",
    ),
    Example(
        "stationery",
        N_("Notebook and pens"),
        N_("Drawing of a spiral notebook beside four pens"),
        "Carnet à spirale A5 ligné et lot de 4 stylos gel",
        "Pointe fine 0,5 mm : noir, bleu, rouge et vert.",
    ),
    Example(
        "pool",
        N_("Swimming pool"),
        N_("Drawing of a round pool above ground with a ladder"),
        "Piscine hors sol ronde 366 x 76 cm avec échelle",
        "Livrée avec pompe de filtration et bâche.",
    ),
    Example(
        "table",
        N_("Coffee table"),
        N_("Drawing of a low wooden table"),
        "Table basse rectangulaire en chêne massif",
    ),
    Example(
        "ball",
        N_("A doubtful one"),
        N_("Drawing of a plain red ball"),
        "Balle rouge 6 cm",
    ),
)

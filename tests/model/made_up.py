"""Made-up listings in the layouts that training reads: each category has its own nouns and its own look."""

import colorsys
import csv
import io
import math
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from model.taxonomy import Taxonomy, default_taxonomy

SIDE = 80  # pixels of a picture
_DUPLICATES = 0.04  # share of rows that repeat another one, picture included
_ENGLISH = 0.12

# Nouns of each category: French | English.
_NOUNS = {
    10: "manuel précis grammaire ouvrage | textbook paperback",
    40: "cartouche disque platine import | cartridge shooter",
    50: "manette câble chargeur coque | controller charger",
    60: "console portable rétro borne | handheld arcade",
    1140: "figurine porte-clés mug réplique | keyring statue",
    1160: "carte booster rareté holo | foil sleeve",
    1180: "dés warhammer socle peinture | dungeon paladin",
    1280: "peluche poupée puzzle toupie | doll plush",
    1281: "plateau pions échecs extension | boardgame chess",
    1300: "drone hélice maquette locomotive | quadcopter throttle",
    1301: "chaussettes collants fléchettes billard | socks darts",
    1302: "canne trampoline trottinette lampe | fishing scooter",
    1320: "bavoir biberon poussette langer | stroller bib",
    1560: "canapé armoire chaise matelas | sofa wardrobe",
    1920: "housse drap serviette rideau | pillowcase towel",
    1940: "café bonbons thé épices | coffee candy",
    2060: "vase guirlande horloge sticker | lantern clock",
    2220: "croquettes laisse litière aquarium | leash kibble",
    2280: "magazine numéro hebdomadaire journal | issue weekly",
    2403: "tome manga intégrale partition | volume comics",
    2462: "lot pack jeux ensemble | bundle consoles",
    2522: "stylo carnet papier classeur | notebook pen",
    2582: "parasol tonnelle serre jardinière | gazebo planter",
    2583: "piscine pompe bâche liner | pool filter",
    2585: "perceuse tuyau tournevis scie | drill wrench",
    2705: "roman essai biographie récit | novel essay",
    2905: "téléchargement clé configuration activation | download steam",
}
_SYLLABLES = ("ba", "ko", "lu", "mi", "né", "ra", "so", "ti", "vu", "za", "do", "fé", "gui", "pa")
_QUALITIES = ("bleu", "rouge", "neuf", "d'occasion", "élégant", "léger", "pliable", "noir", "très grand", "modèle été")
_BRANDS = ("Novéa", "Kirsten", "Albéo", "Maïwen", "Tondor", "Sélune")
_SAID = (
    "Idéal pour toute la famille.|Livraison rapide & soignée.|Taille : 45 x 30 cm.|Qualité supérieure, été comme hiver."
)
_ENTITIES = {"é": "&eacute;", "è": "&egrave;", "ê": "&ecirc;", "à": "&agrave;", "'": "&#39;", "&": "&amp;"}


@dataclass(frozen=True, slots=True)
class MadeUp:
    """One listing; `picture` is a JPEG's bytes or None."""

    code: int
    designation: str
    description: str
    picture: bytes | None
    productid: str
    imageid: str

    @property
    def picture_name(self) -> str:
        """As the challenge calls it."""
        return f"image_{self.imageid}_product_{self.productid}.jpg"


def made_up(
    rows: int = 300,
    codes: Sequence[int] | Taxonomy | None = None,
    seed: int = 0,
    pictures: float = 0.7,
) -> list[MadeUp]:
    """Listings in random order, as many of each category as of any other, one more or less.

    A third has no description, the share `pictures` a picture; a few are in English, a few repeat another one.
    """
    taxonomy = default_taxonomy() if codes is None else codes
    codes = taxonomy.codes if isinstance(taxonomy, Taxonomy) else tuple(codes)
    chance = random.Random(f"made up {seed}")
    wanted = [codes[i % len(codes)] for i in range(rows)]
    chance.shuffle(wanted)
    made: list[MadeUp] = []
    by_code: dict[int, list[MadeUp]] = {}
    for number, code in enumerate(wanted):
        earlier = by_code.setdefault(code, [])
        ids = {"productid": str(3_000_000_000 + 7 * number + seed), "imageid": str(900_000_000 + 3 * number + seed)}
        if earlier and chance.random() < _DUPLICATES:
            row = replace(chance.choice(earlier), **ids)
        else:
            picture = drawn(code, chance.randrange(2**32)) if chance.random() < pictures else None
            row = MadeUp(code, *_texts(code, chance), picture, **ids)
        made.append(row)
        earlier.append(row)
    return made


def write_official(
    folder: Path,
    rows: int = 300,
    codes: Sequence[int] | Taxonomy | None = None,
    seed: int = 0,
    pictures: float = 0.7,
    test_rows: int = 20,
) -> None:
    """The challenge's layout: X and Y to train on, X to answer, pictures below images/ unless their share is 0."""
    train = made_up(rows, codes, seed, pictures)
    test = made_up(test_rows, codes, seed + 1_000_003, pictures)
    folder.mkdir(parents=True, exist_ok=True)
    write_official_x(folder / "X_train_update.csv", train)
    write_rows(folder / "Y_train_CVw08PX.csv", [["", "prdtypecode"], *([i, row.code] for i, row in enumerate(train))])
    if test_rows:
        write_official_x(folder / "X_test_update.csv", test, first=rows)
    for name, listings in (("image_train", train), ("image_test", test)):
        if pictures and listings:
            write_pictures(folder / "images" / name, {row.picture_name: row.picture for row in listings})


def write_official_x(path: Path, listings: Sequence[MadeUp], first: int = 0) -> None:
    """The texts and picture numbers, the index counting from `first`."""
    header = ["", "designation", "description", "productid", "imageid"]
    cells = ([i, r.designation, r.description, r.productid, r.imageid] for i, r in enumerate(listings, first))
    write_rows(path, [header, *cells])


def write_table(
    path: Path,
    rows: int = 300,
    codes: Sequence[int] | Taxonomy | None = None,
    seed: int = 0,
    pictures: float = 0.7,
) -> None:
    """A plain labelled CSV, its pictures in `photos/` beside it and named by their path from there."""
    listings = made_up(rows, codes, seed, pictures)
    names = [f"photos/p{i}.jpg" if row.picture else "" for i, row in enumerate(listings)]
    header = ["ref", "designation", "description", "photo", "categorie"]
    cells = zip(listings, names, strict=True)
    body = [[f"R{i}", r.designation, r.description, name, r.code] for i, (r, name) in enumerate(cells)]
    path.parent.mkdir(parents=True, exist_ok=True)
    write_rows(path, [header, *body])
    if pictures:
        write_pictures(path.parent, {name: r.picture for r, name in zip(listings, names, strict=True)})


def write_rows(path: Path, rows: Sequence[Sequence[object]]) -> None:
    """A CSV file, UTF-8, quoted where needed."""
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)


def write_pictures(folder: Path, pictures: dict[str, bytes | None]) -> None:
    """Each under its name, those that are None left out."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in pictures.items():
        if data is not None:
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_bytes(data)


def drawn(code: int, seed: int) -> bytes:
    """A JPEG, 80x80: colour, shape and stripes of the category, place and noise by chance."""
    random_ = np.random.default_rng(seed)
    look = np.random.default_rng(code % 2**32)
    ground, ink = (_colour(look.random(), 0.35, 0.95), _colour(look.random(), 0.9, 0.6))
    image = Image.new("RGB", (SIDE, SIDE), ground)
    draw = ImageDraw.Draw(image)
    angle, step = look.uniform(0, math.pi), int(look.integers(7, 20))
    for offset in range(-2 * SIDE, 2 * SIDE, step):
        x, y = math.cos(angle), math.sin(angle)
        middle = (SIDE / 2 - offset * y, SIDE / 2 + offset * x)
        ends = [(middle[0] + s * SIDE * x, middle[1] + s * SIDE * y) for s in (-1, 1)]
        draw.line(ends, fill=_colour(angle / math.pi, 0.5, 0.8), width=2)
    size, (left, top) = SIDE // 2, random_.integers(5, SIDE // 2 - 5, 2).tolist()
    corners = int(look.integers(3, 8))
    draw.regular_polygon((left + size // 2, top + size // 2, size // 2), corners, rotation=code % 90, fill=ink)
    noisy = np.asarray(image, np.float32) + random_.normal(0, 12, (SIDE, SIDE, 3))
    buffer = io.BytesIO()
    Image.fromarray(noisy.clip(0, 255).astype(np.uint8)).save(buffer, "JPEG", quality=85)
    return buffer.getvalue()


def nouns(code: int) -> tuple[list[str], list[str]]:
    """French and English words that only this category has."""
    if code in _NOUNS:
        french, english = _NOUNS[code].split(" | ")
        return french.split(), english.split()
    chance = random.Random(f"nouns {code}")
    words = ["".join(chance.choices(_SYLLABLES, k=3)) + chance.choice("nrstl") for _ in range(6)]
    return words[:4], words[4:]


def _texts(code: int, chance: random.Random) -> tuple[str, str]:
    french, english = nouns(code)
    brand, number = chance.choice(_BRANDS), chance.randrange(100, 10_000)
    if chance.random() < _ENGLISH:
        noun, other = chance.sample(english, 2)
        designation = f"{noun.capitalize()} {chance.choice(['new', 'large', 'black'])} with {other} by {brand} {number}"
        description = (
            f'<p>The best "{other}" for the whole family &amp; friends.<br>\n{noun.capitalize()} included.</p>'
        )
    else:
        noun, other = chance.sample(french, 2)
        quality, second = chance.sample(_QUALITIES, 2)
        designation = f"{noun.capitalize()} {quality} {brand} avec {other} {second} - {number}"
        said = " ".join(chance.sample(_SAID.split("|"), 2))
        escaped = "".join(_ENTITIES.get(c, c) for c in f"{noun.capitalize()} {second} : {said}")
        description = f'<p class="x">{escaped}</p>\n<ul><li>{other}, {number} g</li></ul>'
    return designation, "" if chance.random() < 1 / 3 else description


def _colour(hue: float, saturation: float, value: float) -> tuple[int, ...]:
    return tuple(int(255 * part) for part in colorsys.hsv_to_rgb(hue % 1, saturation, value))

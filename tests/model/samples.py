"""Designations whose category is clear, and a drawn picture."""

import io

import numpy as np
from PIL import Image

from model.planted import alone


def png(array: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(array).save(buffer, "PNG")
    return buffer.getvalue()


CLOCK = png(alone("clock", 320))
CLEAR = {
    "Pompe de filtration à sable pour piscine hors sol 6 m3/h": 2583,
    "Canapé d'angle convertible 5 places tissu gris": 1560,
    "Croquettes pour chat stérilisé saumon 10 kg": 2220,
    "Figurine Funko Pop Naruto Kakashi 182": 1140,
    "Paris Match n° 1203 juin 1972": 2280,
    "Carte Pokémon Dracaufeu holo 4/102 set de base": 1160,
    "Housse de couette 220x240 + 2 taies percale de coton": 1920,
    "Catan extension marins jeu de société": 1281,
}

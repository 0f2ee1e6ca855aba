"""What each category covers, in the language of the page."""

from model.taxonomy import Category
from ui.language import N_, _

# The taxonomy's own wording, listed so that translators see it; a test compares the two.
SCOPES = (
    N_("second-hand, technical, academic and foreign-language books; bare titles, few descriptions"),
    N_("game discs and cartridges for any console, often marked import"),
    N_("controllers, cables, chargers, cases, skins, repair parts"),
    N_("consoles alone, retro handhelds, mini consoles"),
    N_("pop-culture figures, key rings, mugs, replicas"),
    N_("Pokémon, Yu-Gi-Oh!, Magic, Panini; set codes and rarities"),
    N_("Warhammer, Heroclix, D&D, wargames, dice, masks"),
    N_("soft toys, dolls, puzzles, wooden and educational toys"),
    N_("board and card games, chess, poker, expansions"),
    N_("RC vehicles and parts, drones, die-cast cars, kits, trains"),
    N_("a mixed class: baby socks and tights; darts, billiards, table football"),
    N_("fishing, camping, torches, trampolines, scooters, outdoor games"),
    N_("bibs, bottles, strollers, carriers, changing and other bags"),
    N_("tables, chairs, sofas, beds, mattresses, storage"),
    N_("cushion covers, bedding, towels, curtains"),
    N_("sweets, coffee, tea, spices, groceries"),
    N_("stickers, vases, lamps, LED strips, clocks, Christmas decoration"),
    N_("dog, cat, bird, fish supplies"),
    N_("single issues: title, number, date"),
    N_("lots, series, volumes, mangas, sheet music"),
    N_("lots of games, console packs, used bundles"),
    N_("pens, notebooks, paper, cutting dies, school supplies"),
    N_("garden sets, parasols, gazebos, greenhouses, planters"),
    N_("pumps, filters, covers, liners, ladders, pools"),
    N_("power and garden tools, parts, hoses, workshop"),
    N_("new French books, often with a publisher's blurb"),
    N_("PC games and DLC as codes, with system requirements"),
)


def scope(category: Category) -> str:
    """What the category covers; as the taxonomy words it when there is no translation."""
    return _(category.scope) if category.scope else ""

"""How the page names what is measured, and says what was found."""

from collections.abc import Mapping

from model.observed import classes
from model.taxonomy import Taxonomy
from ui.decide.names import category_of
from ui.language import N_, _, ngettext, number, percent, points
from ui.style import literal
from watch.drift import FEWEST, Comparison, Flag
from watch.looking import Look

MEASURES = {
    "words": N_("Length of the text"),
    "unknown": N_("Words the model has not met"),
    "confidence": N_("Confidence"),
    "category": N_("Categories"),
    "inputs": N_("What was sent"),
}
FLAGS = {Flag.FEW: N_("Too few to tell"), Flag.STABLE: N_("Stable"), Flag.WATCH: N_("Watch"), Flag.DRIFT: N_("Drift")}
COLOURS = {Flag.FEW: "gray", Flag.STABLE: "green", Flag.WATCH: "orange", Flag.DRIFT: "red"}
SOURCES = {"": N_("All"), "page": N_("The pages"), "api": N_("Programs"), "batch": N_("Files")}
REFERENCES = {
    "model": N_("The model’s report"),
    "before": N_("The 4 weeks before"),
    "first": N_("First 7 days of this model"),
}
_INPUTS = {
    "text": N_("Text alone"),
    "image": N_("Picture alone"),
    "text+image": N_("Text and picture"),
    "none": N_("Nothing readable"),
}
_SMALL = 0.0005
"""A change of a share that is written as none."""
_MISSING = {
    "no_report": N_(
        "**This model says nothing of what it was measured on, so there is nothing to hold these days against.** "
        "Whoever runs this server adds that to the model with a command (docs/watching.md). Or choose another "
        "comparison above: with the 4 weeks before, or with the first 7 days of this model."
    ),
    "bad_report": N_(
        "**What this model says of what it was measured on cannot be read.** Whoever runs this server makes it anew "
        "with a command (docs/watching.md). Or choose another comparison above."
    ),
    "overlap": N_(
        "**The first 7 days of this model are not over before the days looked at begin.** Choose fewer days, or "
        "another comparison."
    ),
}


def class_name(measure: str, name: str, taxonomy: Taxonomy) -> str:
    """A class as it is read: ``name`` is its lower end, or a name."""
    if measure == "inputs":
        return _(_INPUTS[name]) if name in _INPUTS else name
    if measure == "category":
        return category_of(taxonomy, int(name)) if name.isdigit() else name
    order = classes(measure)
    if name not in order:
        return name
    after = order[order.index(name) + 1] if name != order[-1] else None
    if measure == "words":
        return _words(int(name), None if after is None else int(after) - 1)
    if name == "0" and measure == "unknown":
        return percent(0)
    low = 0.0 if name == ">0" else float(name)
    high = 1.0 if after is None else float(after)
    return f"{percent(low)} – {percent(high)}" if name != ">0" else _("up to {share}").format(share=percent(high))


def _words(low: int, high: int | None) -> str:
    if low == high:
        return number(low)
    return _("{n} and more").format(n=number(low)) if high is None else f"{number(low)} – {number(high)}"


def moved(one: Comparison, look: Look, taxonomy: Taxonomy) -> str:
    """What moved most: its class, its share in both."""
    if not one.moved or abs(one.moved[0][1]) < _SMALL:
        return "–"
    name, change = one.moved[0]
    now = share(look.now.get(one.measure, {}), name)
    return _("{name}: {now}, was {then}").format(
        name=class_name(one.measure, name, taxonomy), now=percent(now, 1), then=percent(max(0.0, now - change), 1)
    )


def share(counts: Mapping[str, float], name: str) -> float:
    """Of all that was counted; 0 of nothing."""
    total = sum(counts.values())
    return counts.get(name, 0) / total if total else 0.0


def missing(reason: str) -> str:
    """Why there is nothing to compare with."""
    return _(_MISSING[reason])


def verdict(look: Look, taxonomy: Taxonomy) -> tuple[Flag, str, str]:
    """The flag, why, and what to do about it ("" when that is nothing)."""
    drift = look.drift
    if drift is None:
        raise ValueError("nothing to compare with")
    flag, worst = drift.flag, drift.worst
    if flag == Flag.FEW or worst is None:
        if min(look.number, sum(look.reference.get("inputs", {}).values())) >= FEWEST:
            return Flag.FEW, _unlike(look), ""
        then = round(sum(look.reference.get("inputs", {}).values()))
        text = ngettext(
            "{n} product in these days, and {then} to hold it against: from {fewest} on each side something can be "
            "said.",
            "{n} products in these days, and {then} to hold them against: from {fewest} on each side something can be "
            "said.",
            look.number,
        )
        return Flag.FEW, text.format(n=number(look.number), then=number(then), fewest=number(FEWEST)), ""
    if flag == Flag.STABLE:
        return flag, _("Nothing that is judged differs both by more than chance and by enough to matter."), ""
    name, change = worst.moved[0]
    more = _(
        "{measure}: the class {name} makes up {now} of these days’ products, {points} more than in the comparison."
    )
    less = _(
        "{measure}: the class {name} makes up {now} of these days’ products, {points} less than in the comparison."
    )
    why = (more if change > 0 else less).format(
        measure=_(MEASURES[worst.measure]),
        name=_("“{text}”").format(text=literal(class_name(worst.measure, name, taxonomy))),
        now=percent(share(look.now[worst.measure], name), 1),
        points=points(abs(change)),
    )
    return flag, why, _advice(flag)


def _unlike(look: Look) -> str:
    text = ngettext(
        "{n} product in these days, but fewer than {fewest} that can be judged: with a text on both sides, or sent "
        "as those of the comparison were.",
        "{n} products in these days, but fewer than {fewest} that can be judged: with a text on both sides, or sent "
        "as those of the comparison were.",
        look.number,
    )
    return text.format(n=number(look.number), fewest=number(FEWEST))


def _advice(flag: Flag) -> str:
    if flag == Flag.WATCH:
        return _(
            "What to do: look again in a few days, and change “Sent by” to see where it comes from. If it stays, look "
            "at some of these products on the page Review."
        )
    return _(
        "What to do: the accuracy that the model states may not hold for these products. Send a random part of them to "
        "the page Review, and see there how often people agree; from some hundred decisions on, the model can be "
        "adapted to them."
    )

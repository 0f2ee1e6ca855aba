"""The keyboard of the queue: a key presses the button it stands on, once, and only for what can have been seen."""

import streamlit as st

ACCEPT, UNKNOWN, SKIP, NEXT, UNDO, WHY, FIND, NOTE = "A", "D", "S", "N", "U", "W", "F", "E"
DO = "review_do"
"""Begins the key of each button that changes something."""
PRODUCT, FIND_KEY, NOTE_KEY, WHY_KEY = "rayon-product", "review_find", "review_note", "review_why_key"
"""What else keys find on the page."""
SEEN_MS = 250
"""A product that has been on screen for less cannot have been looked at: keys and clicks wait."""
_AGAIN_MS, _LOST_MS, _PAUSE_MS = 2_500, 4_000, 1_000
"""After which a key is sent again, and a click taken for lost; how long after a letter in a field the next one is still
meant for it."""
_BUTTONS = {ACCEPT: "accept", "Enter": "accept", "1": "accept", UNKNOWN: "unknown", SKIP: "skip"}
_BUTTONS |= {NEXT: "next", "ArrowRight": "next"} | {str(place): f"pick{place}" for place in range(2, 10)}

# Letters by what is printed on the key, digits by where it is: on a French keyboard they need Shift. Buttons are found
# by the product that is in the page, not by what the server said last: what is decided on is what is on screen.
_KEYS = """
const FIELDS = "input:not([type=checkbox],[type=radio],[type=button]), textarea, select, [contenteditable=true]";
// What a part of the page that has the focus keeps for itself: every key, or those with a name, which move within it.
const CHOICES = "[role=listbox], [role=option], [role=menu]";
const STEERED = "[role=tab], [role=slider], [role=grid], [role=radio]";
const CHOOSING = "[role=combobox][aria-expanded=true], [role=listbox]";
const SPENT = ".st-key-review_desk button, .st-key-review_desk summary, [role=tab]";
const LOOKS = 20;
let desk = null, tell = null, shown = null, token = "", since = 0, pressed = null, waiting = null, told = 0;
let writing = -Infinity, retry = 0, spent = null;

function look() {
  if (!desk) return;
  const now = document.querySelector(desk.product)?.id ?? "no-product";
  if (now === shown) {
    if (waiting !== null) press(waiting);
    return;
  }
  told = performance.now(); // whatever comes up has been taken afresh
  [shown, since, pressed, waiting, writing] = [now, performance.now(), null, null, -Infinity];
  token = now.split("-")[1];
  const field = document.activeElement;
  if (field?.matches(FIELDS) && field.closest(desk.desk)) field.blur();
}

function typed({ key, code }) {
  // A digit's key types a digit only with Shift on some keyboards; one of the pad may stand for an arrow.
  if (/^Digit[1-9]$/.test(code) && !/^[a-z]$/i.test(key)) return code.at(-1);
  if (key.length === 1 && key > "\\x7f" && code.startsWith("Key")) return code.at(-1);
  return key.length === 1 ? key.toUpperCase() : key;
}

// A box whose list is open gets its key or click first; once it is closed, a choice was made. It is drawn anew then,
// and may take the focus back: so it is looked at for a while, or until somebody goes there to write.
function leave(field, looks) {
  if (writing !== -Infinity) return;
  if (document.activeElement === field && field.getAttribute("aria-expanded") !== "true") field.blur();
  if (looks) setTimeout(leave, 25, field, looks - 1);
}

function onChoice({ target }) {
  const field = document.activeElement;
  if (!target.closest?.("[role=option]") || !field?.matches("[role=combobox]")) return;
  writing = -Infinity;
  setTimeout(leave, 0, field, LOOKS);
}

// What was clicked with the mouse has done its work: Enter and the arrows are for the product again. Some parts take
// the focus a while after the click, so it is remembered, too, until the keyboard goes there.
function onSpent({ detail, target }) {
  spent = detail ? target.closest?.(SPENT) : null;
  const clicked = spent;
  if (clicked) setTimeout(() => { if (clicked === document.activeElement) clicked.blur(); });
}

function onClick(event) {
  if (!desk || !event.target.closest?.(desk.doing)) return;
  look();
  const now = performance.now();
  if (now - since < desk.seen || (pressed !== null && now - pressed < desk.lost)) {
    event.preventDefault();
    event.stopPropagation();
  } else {
    pressed = now;
  }
}

function elsewhere(event) {
  return !desk || event.isComposing || event.ctrlKey || event.metaKey || event.altKey;
}

// Before the field itself, which may keep a key from coming further.
function onField(event) {
  const { target, key } = event;
  if (elsewhere(event) || document.querySelector("[data-testid=stDialog]")) return;
  if (!target.matches?.(FIELDS)) {
    if (key === "Escape" && target !== document.body) target.blur?.();
    return;
  }
  writing = ["Escape", "Enter", "Tab"].includes(key) ? -Infinity : performance.now();
  const box = target.matches("[role=combobox]"), chosen = box && target.getAttribute("aria-expanded") === "true";
  if (box && (key === "Escape" || (key === "Enter" && chosen))) setTimeout(leave, 0, target, LOOKS);
  else if (key === "Escape" || (key === "Enter" && target.closest(desk.note))) target.blur();
}

function onKey(event) {
  if (event.key === "Tab") spent = null;
  const target = event.target === spent ? document.body : event.target;
  if (elsewhere(event) || document.querySelector("[data-testid=stDialog]") || target.matches?.(FIELDS)) return;
  const now = performance.now();
  // While a box of choices is open, it and its field hand the focus to each other: the next letter is for the field.
  if (now - writing < desk.pause || document.querySelector(CHOOSING)) return;
  const what = desk.keys[typed(event)];
  if (what === undefined || target.closest?.(CHOICES)) return;
  if (event.key.length > 1 && target.closest?.(STEERED)) return;
  if (event.key === "Enter" && target.closest?.("button, a, summary, [role=button]")) return;
  look();
  event.preventDefault();
  // What is pressed before a field is there is not to press the buttons that its text would spell.
  if (event.repeat || waiting !== null) return;
  if (what === desk.find || what === desk.write) writing = now;
  else if (now - since < desk.seen) return;
  press(what);
}

// The page is built from top to bottom: the product may be there a moment before the button. The note comes last.
function press(what) {
  const [found, note] = [what, desk.write].map((one) => document.querySelector(one.replace("TOKEN", token)));
  waiting = found || note || !token ? null : what;
  if (!found || found.disabled) return;
  if (found.matches(FIELDS)) {
    found.focus();
    return;
  }
  found.click();
  // A press that got lost on its way is sent again: for one product it counts once, however often it arrives.
  clearTimeout(retry);
  if (what.includes("TOKEN")) retry = setTimeout(repeat, desk.again, what, shown);
}

function repeat(what, about) {
  look();
  if (!desk || shown !== about) return;
  pressed = null;
  press(what);
}

// Somebody who moves is at work: the product stays theirs. What a key has asked for is not to be interrupted by that.
function onMove() {
  if (!desk || pressed !== null || waiting !== null || performance.now() - told < desk.renew) return;
  told = performance.now();
  tell("alive", String(told));
}

document.addEventListener("click", onClick, true);
document.addEventListener("click", onSpent, true);
document.addEventListener("pointerup", onChoice, true);
document.addEventListener("keydown", onField, true);
document.addEventListener("keydown", onKey);
["pointermove", "keydown", "wheel"].forEach((move) => document.addEventListener(move, onMove, { passive: true }));
const watch = new MutationObserver(look);

export default function({ data, setTriggerValue }) {
  desk = data;
  tell = setTriggerValue;
  watch.observe(document.body, { subtree: true, childList: true });
  look();
  return () => {
    if (desk !== data) return;
    desk = null;
    watch.disconnect();
  };
}
"""
_component = st.components.v2.component("rayon_keys", js=_KEYS)


def listen(lease_seconds: float) -> None:
    """Has keys press the buttons about the product that is on screen, whichever that is."""
    buttons = {key: f".st-key-{DO}_{what}_TOKEN button" for key, what in _BUTTONS.items()}
    buttons |= {UNDO: f".st-key-{DO}_undo button", WHY: f".st-key-{WHY_KEY} button"}
    find, write = f"[class*='st-key-{FIND_KEY}_TOKEN'] input", f".st-key-{NOTE_KEY}_TOKEN input"
    data = {
        "find": find,
        "write": write,
        "product": f".{PRODUCT}",
        "keys": buttons | {FIND: find, NOTE: write},
        "doing": f"[class*='st-key-{DO}_'] button",
        "desk": ".st-key-review_desk",
        "note": f"[class*='st-key-{NOTE_KEY}_']",
        "seen": SEEN_MS,
        "again": _AGAIN_MS,
        "lost": _LOST_MS,
        "pause": _PAUSE_MS,
        "renew": lease_seconds * 1000 / 3,
    }
    _component(key="browser_review_keys", data=data, on_alive_change=_ignore, height=1)


def button_key(what: str, token: str) -> str:
    """The key of a button about the product on screen, and about no other."""
    return f"{DO}_{what}_{token}"


def on_key(label: str, *keys: str) -> str:
    """A button's label with the keys that press it."""
    return " ".join([*(f"`{key}`" for key in keys), label])


def with_key(label: str, key: str) -> str:
    """A field's label with the key that leads to it."""
    return f"{label} `{key}`"


def _ignore() -> None:
    """The run that follows takes the lease again."""

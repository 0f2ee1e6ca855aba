"""What only the browser can do: a picture pasted from the clipboard, and the language of the document."""

import streamlit as st

# The pasted file goes in by the upload field itself: same limits, same checks, same way to the server.
_PASTE = """
export default function({ data }) {
  const onPaste = (event) => {
    const files = Array.from(event.clipboardData?.files ?? []);
    const picture = files.find((file) => file.type.startsWith("image/"));
    const typing = event.target instanceof HTMLInputElement || event.target instanceof HTMLTextAreaElement;
    // A word processor copies its text as a picture too: in a field, the text is meant.
    if (!picture || (typing && event.clipboardData.types.includes("text/plain"))) return;
    const input = document.querySelector(`.st-key-${data.zone} input[type=file]`);
    if (!input) return;
    event.preventDefault();
    const one = new DataTransfer();
    one.items.add(picture);
    input.files = one.files;
    input.dispatchEvent(new Event("change", { bubbles: true }));
  };
  document.addEventListener("paste", onPaste);
  return () => document.removeEventListener("paste", onPaste);
}
"""
_LANGUAGE = """
export default function({ data }) { document.documentElement.lang = data.language; }
"""
_paste = st.components.v2.component("rayon_paste", js=_PASTE)
_language = st.components.v2.component("rayon_language", js=_LANGUAGE)


def accept_paste(zone: str) -> None:
    """Ctrl+V anywhere on the page gives a copied picture to the upload field in the container ``zone``."""
    _paste(key=f"browser_paste_{zone}", data={"zone": zone}, height=1)


def tell_language(language: str) -> None:
    """Screen readers pronounce by the document's language, which Streamlit leaves at English."""
    _language(key="browser_language", data={"language": language}, height=1)

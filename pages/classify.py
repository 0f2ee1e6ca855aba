"""One product: the form, the answer, the reasons."""

import streamlit as st

from model.product import Product
from ui.entry import by_front_door
from ui.explanation import render_explanation
from ui.form import render_form, render_gallery
from ui.language import _
from ui.model import classifier_or_stop, predict
from ui.result import render_result

PREFIX = "classify"

by_front_door("pages/classify.py")
st.caption(_("A picture, a designation or both: the answer comes as you type."))
grid = st.grid(2, min_column_width=380, gap="large")
with grid.cell():
    product = render_form(PREFIX)
with grid.cell():
    classifier = classifier_or_stop()
    if product == Product():
        st.markdown(_("**Nothing to classify yet.** Try one of these:"))
        render_gallery(PREFIX, key=PREFIX)
        st.caption(_("The pictures were drawn for this page; the texts are in French, as on the marketplace."))
        st.stop()
    prediction = predict(classifier, product)
    render_result(classifier, product, prediction, PREFIX)
    deciding = st.container()
render_explanation(classifier, product, prediction, PREFIX)
with deciding:
    # Last, and imported here: the store may be slow to answer, and the answer must not wait for it.
    from ui.decide.panel import render_decision

    render_decision(PREFIX, product, prediction, classifier.taxonomy)

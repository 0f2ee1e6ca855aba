"""What the model in use is, how good it is, and where it fails: all from the files of its bundle."""

from ui.card.headline import render_headline
from ui.card.link import PAGE
from ui.card.report import read_report
from ui.card.tabs import render_tabs
from ui.entry import by_front_door
from ui.model import classifier_or_stop

by_front_door(PAGE)
classifier = classifier_or_stop()
bundle = classifier.bundle
report = read_report(bundle.reports.get("metrics"))
render_headline(bundle.manifest, report)
render_tabs(bundle, classifier.taxonomy, report)

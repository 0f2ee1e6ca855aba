"""How good a model is: measured with intervals on labelled rows, told as JSON and as a page."""

"""Signing in: the form, the watch over every request, and who a page is talking to."""

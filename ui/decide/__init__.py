"""Deciding on products: what the pages that do it share."""

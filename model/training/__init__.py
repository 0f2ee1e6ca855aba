"""Fitting the branches and putting a bundle together. Needs ``requirements-train.txt``."""

"""The moderators' queue on the screen."""

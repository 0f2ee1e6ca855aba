"""A model improved from decisions of moderators: a residual on what is linear in it, held near what it was."""

"""Administration: models, users, jobs, storage, and who did what."""

from ui.admin.tabs import render_administration
from ui.entry import by_front_door

by_front_door("pages/admin.py")
render_administration()

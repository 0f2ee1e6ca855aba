"""How much room folders take."""

import os
from pathlib import Path


def folder_bytes(folder: Path) -> int:
    """Bytes of all files below; links are not followed, and what goes away meanwhile counts nothing."""
    total = 0
    try:
        with os.scandir(folder) as entries:
            found = list(entries)
    except OSError:
        return 0
    for entry in found:
        try:
            if entry.is_dir(follow_symlinks=False):
                total += folder_bytes(Path(entry.path))
            else:
                total += entry.stat(follow_symlinks=False).st_size
        except OSError:
            continue
    return total

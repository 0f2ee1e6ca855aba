"""``python -m batch COMMAND``: see ``python -m batch --help``."""

import logging
import sys

from batch.command import main

if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    sys.exit(main())

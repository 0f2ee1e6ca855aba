"""Everything that decides the outcome of a training, beside the data and what it starts from."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Recipe:
    """``test_share`` of the rows are never fitted on; of the rest about ``calibration_rows`` weigh the branches, within
    the bounds of ``calibration_shares``.

    ``company_weights``: candidates for how much a listing of the open corpus counts against one of the data, where
    both have the same categories; the best on the calibration rows is taken. Beyond ``company_until`` rows the data
    speak for themselves.
    """

    seed: int = 20
    test_share: float = 0.1
    calibration_rows: int = 1_500
    calibration_shares: tuple[float, float] = (0.05, 0.15)
    regularization: float = 0.25
    company_weights: tuple[float, ...] = (0.0, 0.1, 0.3)
    company_until: int = 40_000
    rate: float = 1e-3
    most_pieces: int = 64
    finetune_image: int = 0
    finetune_epochs: int = 3
    coverage: float = 0.9
    threshold: float = 0.6

    def epochs(self, rows: int, head: bool) -> int:
        """How often the encoder reads the rows: few are read more often, and so is everything by a new head."""
        few = 5 if rows < 5_000 else 3 if rows < 45_000 else 2
        return few if head else few + 2

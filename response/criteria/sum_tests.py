"""How a sum over the targets is judged: by how much it must shrink or grow, and against what."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Final

import numpy as np
from numpy.typing import NDArray

from response.criteria.rules import Flags

Sums = NDArray[np.int64]
_WHOLE: Final = 100_000  # 100 % in thousandths of a percent


def share_after(change: int) -> tuple[int, int]:
    """Return the share that is left of a sum after a change in thousandths of a percent, in lowest terms."""
    return Fraction(_WHOLE + change, _WHOLE).as_integer_ratio()


def change_to(share: tuple[int, int]) -> int:
    """Return the change that leaves a share, in thousandths of a percent; the other way round of `share_after`."""
    numerator, denominator = share
    return _WHOLE * numerator // denominator - _WHOLE


@dataclass(frozen=True, kw_only=True)
class SumTest:
    """When a sum has shrunk to a partial response or grown to progression; exact, by cross-multiplication.

    Progression needs the share and the least growth. Where either is enough (+40 % or 2 ml), derive from this class,
    and let `grown` and `smallest_progressive` (for `explain`) say so.

    Attributes
    ----------
    partial
        Share of the baseline at or below which it is a partial response, as numerator and denominator.
    progressive
        Share of the reference from which it is progression.
    least
        By how much it must have grown as well, in the unit of the sum.
    inclusive
        Whether growth by exactly the share is progression.
    partial_inclusive
        Whether exactly the share of the baseline is a partial response.
    from_baseline
        Whether growth is judged against the baseline, and not against the smallest complete sum before.
    """

    partial: tuple[int, int]
    progressive: tuple[int, int]
    least: int = 0
    inclusive: bool = True
    partial_inclusive: bool = True
    from_baseline: bool = False

    def responded(self, sums: Sums, baseline: Sums) -> Flags:
        """Return where sums have shrunk to a partial response."""
        share, of = self.partial
        now, limit = of * sums, share * baseline
        return np.asarray(now <= limit if self.partial_inclusive else now < limit)

    def grown(self, sums: Sums, reference: Sums) -> Flags:
        """Return where sums have grown to progression; never where they have not grown at all."""
        share, of = self.progressive
        now, limit = of * sums, share * reference
        over = now >= limit if self.inclusive else now > limit
        return np.asarray(over & (sums - reference >= max(self.least, 1)))

    def largest_partial(self, baseline: int) -> int:
        """Return the largest whole sum that is a partial response."""
        share, of = self.partial
        return share * baseline // of if self.partial_inclusive else -(-share * baseline // of) - 1

    def smallest_progressive(self, reference: int) -> int:
        """Return the smallest whole sum that is progression."""
        share, of = self.progressive
        from_share = -(-share * reference // of) if self.inclusive else share * reference // of + 1
        return max(from_share, reference + max(self.least, 1))

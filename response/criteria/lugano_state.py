"""What the rules of the Lugano classification ask: lesions one by one, the spleen, the bone marrow."""

from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from response.criteria.burden import Fact, ever_before
from response.criteria.lymphoma import LesionGrowth, LymphomaBurden
from response.criteria.new_lesions import visit_codes
from response.criteria.rules import Flags, Question
from response.criteria.some_lesions import is_one_of
from response.criteria.spleen import Spleen
from response.criteria.sums import (
    AreaState,
    SumTest,
)
from response.criteria.visit_values import at_baseline
from response.vocabulary import Marrow

LUGANO_TEST: Final = SumTest(partial=(1, 2), progressive=(3, 2))  # -50 % of the sum of products, inclusive: table 3, PR


class LuganoState(AreaState):
    """What the rules ask of all series of a block; areas are whole square micrometres."""

    burden: LymphomaBurden

    def __init__(self, burden: LymphomaBurden, options: Any, questions: tuple[Question[Any], ...]) -> None:
        super().__init__(burden, options, questions, LUGANO_TEST)

    # --- lesions one by one

    @cached_property
    def lesions(self) -> LesionGrowth:
        """Lesions one by one."""
        return LesionGrowth(self.burden)

    @cached_property
    def lesion_progressed(self) -> Flags:
        """A target has grown by itself."""
        return self.lesions.progressed.by_series()

    @cached_property
    def target_regrown(self) -> Flags:
        """A target is back."""
        return self.lesions.regrown.by_series()

    @cached_property
    def non_target_regrown(self) -> Flags:
        """A lesion that is not measured is back."""
        return self.lesions.non_target_regrown.by_series()

    @cached_property
    def non_target_increased(self) -> Flags:
        """A lesion that is not measured has increased, short of progression."""
        return self.lesions.non_target_increased.by_series()

    @cached_property
    def merged(self) -> Flags:
        """A lesion has merged into another."""
        return self.burden.has(Fact.MERGED)

    # --- spleen and bone marrow

    @cached_property
    def spleen(self) -> Spleen:
        """The spleen."""
        return Spleen(self.block, self.options.lugano_spleen_reference == "nadir")

    @cached_property
    def marrow(self) -> NDArray[np.int8]:
        """`vocabulary.Marrow` of the visit."""
        return visit_codes(self.block, "marrow")

    @cached_property
    def marrow_at_baseline(self) -> NDArray[np.int8]:
        """`vocabulary.Marrow` of the baseline, `[series, 1]`."""
        return at_baseline(self.block, self.marrow)

    def marrow_is(self, finding: Marrow) -> Flags:
        """Return where the marrow was found so."""
        return is_one_of(self.marrow, (finding,))

    @cached_property
    def marrow_was_free(self) -> Flags:
        """The marrow was free at baseline or later."""
        scored = self.block.is_baseline | self.block.follow_up
        return ever_before(self.marrow_is(Marrow.NEGATIVE) & scored)

    @cached_property
    def organs_involved(self) -> Flags:
        """Spleen or marrow were involved at baseline, `[series, 1]`."""
        return self.spleen.enlarged | is_one_of(self.marrow_at_baseline, (Marrow.POSITIVE,))

    @cached_property
    def shrunk_enough(self) -> Flags:
        """What there was of lesions, or else the spleen, responds."""
        only_others = self.is_("target", "NA") & self.is_("non_target", "CR")
        only_spleen = self.no_disease_at_baseline & self.spleen.enlarged & self.is_("spleen", "CR", "PR")
        return np.asarray(self.is_("target", "CR", "PR") | only_others | only_spleen)

    # --- what the engine asks

    @cached_property
    def showing(self) -> Flags | None:
        """Lesions that have grown or are back, `[track, timepoint]`."""
        found = np.zeros(self.burden.state.shape, np.bool_)
        for some in (self.lesions.progressed, self.lesions.regrown, self.lesions.non_target_regrown):
            found[some.tracks] |= some.flags
        return found

    @property
    def grown(self) -> Flags:
        """No growth of all targets together is progression: `showing` names the lesions."""
        return np.zeros(self.shape, np.bool_)

    def thresholds(self, place: int) -> list[str]:
        """Return how far a timepoint of a single series is from PR; progression is judged lesion by lesion."""
        return super().thresholds(place)[:1]

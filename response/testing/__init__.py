"""The suite that any criterion must pass, for the tests of packages that bring one.

With pytest, in a test module of such a package::

    from response.testing import CriterionSuite
    from our_package import OURS

    class TestOurs(CriterionSuite):
        criterion = OURS
        trials = [...]  # that reach the rules which made-up trials do not

Without it: `check_criterion(OURS, trials=[...])` raises AssertionError at the first thing that is wrong.
"""

from collections.abc import Mapping, Sequence
from typing import ClassVar

from response.criteria.criterion import Criterion
from response.testing import checks, definition, study
from response.testing.bench import Bench, assess_by
from response.testing.checks import CHECKS
from response.testing.trials import MakeCell, Trial, made_up_trial

__all__ = ["CHECKS", "Bench", "CriterionSuite", "Trial", "assess_by", "check_criterion", "made_up_trial"]


def check_criterion(
    criterion: Criterion,
    *,
    trials: Sequence[Trial] = (),
    columns: Mapping[str, MakeCell] | None = None,
    unreached: frozenset[str] = frozenset(),
    ne_when_complete: frozenset[str] = frozenset(),
    decides_in_part: frozenset[str] = frozenset(),
) -> None:
    """Raise AssertionError at the first of `CHECKS` that a criterion does not pass; parameters as those of `Bench`."""
    bench = Bench(criterion, trials, columns or {}, unreached, ne_when_complete, decides_in_part)
    for check in CHECKS:
        check(bench)


class CriterionSuite:
    """The suite as a class for pytest: subclass it, name the criterion, and each check is a test.

    Attributes
    ----------
    criterion
        What is tested.
    trials, columns, unreached, ne_when_complete, decides_in_part
        As those of `Bench`.
    """

    criterion: ClassVar[Criterion]
    trials: ClassVar[Sequence[Trial]] = ()
    columns: ClassVar[Mapping[str, MakeCell]] = {}
    unreached: ClassVar[frozenset[str]] = frozenset()
    ne_when_complete: ClassVar[frozenset[str]] = frozenset()
    decides_in_part: ClassVar[frozenset[str]] = frozenset()

    @classmethod
    def bench(cls) -> Bench:
        """Return the criterion on its bench, the same for all tests of the class."""
        if "_bench" not in vars(cls):
            excused = (cls.unreached, cls.ne_when_complete, cls.decides_in_part)
            cls._bench = Bench(cls.criterion, cls.trials, cls.columns, *excused)
        return cls._bench

    _bench: ClassVar[Bench]

    def test_what_it_is(self) -> None:
        """It has a name, a title and a source; each rule has an id of its own, a clause and a sentence."""
        definition.check_what_it_is(self.bench())

    def test_options_are_saved(self) -> None:
        """Every option has a default among its choices and says what it decides; a protocol keeps all of them."""
        definition.check_options_are_saved(self.bench())

    def test_numbers(self) -> None:
        """Each number that it declares is given at every timepoint, whole; sentences tell no others."""
        definition.check_numbers(self.bench())

    def test_determinism(self) -> None:
        """The same trial gives the same results."""
        checks.check_determinism(self.bench())

    def test_row_order(self) -> None:
        """The order of the rows of the tables does not matter."""
        checks.check_row_order(self.bench())

    def test_other_subjects(self) -> None:
        """The data of other subjects, of longer courses too, change nothing: nothing is taken from a neighbour."""
        checks.check_other_subjects(self.bench())

    def test_one_by_one(self) -> None:
        """How many subjects are assessed at once does not matter: a large trial comes in several blocks."""
        checks.check_one_by_one(self.bench())

    def test_other_evaluators(self) -> None:
        """The data of another evaluator change nothing."""
        checks.check_other_evaluators(self.bench())

    def test_later_timepoints(self) -> None:
        """A later timepoint never changes an earlier result."""
        checks.check_later_timepoints(self.bench())

    def test_nadir(self) -> None:
        """No nadir ever rises: neither one that is told, nor one that rules are judged by."""
        checks.check_nadir(self.bench())

    def test_missing_measurements(self) -> None:
        """A target that was not measured never makes the response better than it was with its measurement."""
        checks.check_missing_measurements(self.bench())

    def test_last_rules(self) -> None:
        """The last rule of a question is taken where no other holds, so it has to hold there."""
        checks.check_last_rules(self.bench())

    def test_recist_is_left_alone(self) -> None:
        """RECIST 1.1 beside it says what it says alone, and the lesions stay as they were read."""
        checks.check_recist_is_left_alone(self.bench())

    def test_table_without_optional_columns(self) -> None:
        """A table with the least columns is scored, whatever comes out."""
        checks.check_table_without_optional_columns(self.bench())

    def test_no_silent_ne(self) -> None:
        """Where nothing was assessed it is NE, each NE has its reason, and where all was assessed there is none."""
        checks.check_no_silent_ne(self.bench())

    def test_every_rule_is_reached(self) -> None:
        """Every rule decides, and every flag holds, at some timepoint of the trials."""
        checks.check_every_rule_is_reached(self.bench())

    def test_every_decision_is_explained(self) -> None:
        """Each decision becomes a sentence with its numbers, and `explain` tells the rule of each timepoint."""
        checks.check_every_decision_is_explained(self.bench())

    def test_best_response(self) -> None:
        """The best response is one that some timepoint has, or says that there is none; no subject is lost."""
        checks.check_best_response(self.bench())

    def test_study_of_its_own(self) -> None:
        """A study's own criterion with the thresholds of this one says the same, under its own names; others decide."""
        study.check_study_of_its_own(self.bench())

"""Dates of assessments: which scan dates a timepoint, from when SD is counted, how late a partial date may be."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from response.cells import NO_DATE, DatePrecision
from response.vocabulary import Response

Days = NDArray[np.int32]

NEVER: Final = 2**30  # later than every date; a test "on or after" an unknown date then never holds


def assessment_dates(
    response: NDArray[np.int8], first_scan: Days, last_scan: Days, progression_date: Days, rule: str
) -> Days:
    """Return the date of every assessment.

    1. PD: the scan that shows it, else the earliest scan of the timepoint, under every rule.
    2. `always_earliest` and `always_latest`: the earliest and the latest scan.
    3. `cr_pr_latest_else_earliest`: CR and PR are there only when the last scan shows them; all others take the
       earliest scan, so that the minimum duration of SD is not inflated.

    Parameters
    ----------
    response
        `vocabulary.Response` codes, shape `[series, timepoint]`.
    first_scan, last_scan, progression_date
        Days since 1970, `NO_DATE` where unknown, same shape.
    rule
        `BestResponseOptions.tp_date_rule`.

    References
    ----------
    Imaging charters' convention; CDISC RECIST 1.1 supplement (draft) for the duration of SD.
    """
    first = np.where(first_scan == NO_DATE, last_scan, first_scan)
    last = np.where(last_scan == NO_DATE, first_scan, last_scan)
    progressive = (response == Response.PD) | (response == Response.UNCONFIRMED_PD)
    if rule == "always_earliest":
        late = np.zeros(response.shape, np.bool_)
    elif rule == "always_latest":
        late = ~progressive
    else:
        late = (response == Response.CR) | (response == Response.PR)
    dates = np.where(late, last, first)
    return np.where(progressive & (progression_date != NO_DATE), progression_date, dates)


def reference_dates(treatment_start: Days, randomisation: Days, baseline: Days, choice: str) -> Days:
    """Return the date from which the minimum duration of SD is counted; the baseline where the choice is unknown.

    Parameters
    ----------
    treatment_start, randomisation, baseline
        Days since 1970, `NO_DATE` where unknown, shape `[series]`.
    choice
        `BestResponseOptions.min_sd_reference`.
    """
    chosen = {
        "treatment_start_or_randomisation": np.where(treatment_start == NO_DATE, randomisation, treatment_start),
        "treatment_start": treatment_start,
        "randomisation": randomisation,
        "baseline": baseline,
    }[choice]
    return np.where(chosen == NO_DATE, baseline, chosen)


def slack_days(days: Days, precision: NDArray[np.int8]) -> Days:
    """Return how many days later than its first possible day a partial date may lie: 0 for a whole date; `[n]`."""
    slack = np.zeros(days.shape, np.int32)
    for known, unit, one in (
        (DatePrecision.MONTH, "datetime64[M]", np.timedelta64(1, "M")),
        (DatePrecision.YEAR, "datetime64[Y]", np.timedelta64(1, "Y")),
    ):
        partial = (precision == known) & (days != NO_DATE)
        after = (days[partial].astype("datetime64[D]").astype(unit) + one).astype("datetime64[D]")
        slack[partial] = after.astype(np.int64) - days[partial] - 1
    return slack

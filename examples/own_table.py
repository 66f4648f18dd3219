"""Score a table that is already a DataFrame, for instance the output of a segmentation model."""

import pandas as pd

import response

lesions = pd.DataFrame(
    [
        ("P1", 0, "L1", "target", "liver", 42.0),
        ("P1", 0, "L2", "target", "lung", 18.0),
        ("P1", 1, "L1", "target", "liver", 28.5),
        ("P1", 1, "L2", "target", "lung", 11.2),
        ("P1", 2, "L1", "target", "liver", 37.0),
        ("P1", 2, "L2", "target", "lung", 14.0),
    ],
    columns=["subject", "timepoint", "lesion", "role", "organ", "longest_mm"],
)
assessment = response.assess(response.read(lesions))
print(assessment.timepoints[["subject", "timepoint", "sum_mm", "overall", "reason"]].to_string(index=False))

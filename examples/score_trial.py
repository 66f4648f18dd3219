"""Score a trial from its tables: RECIST 1.1 and Choi for every subject and visit, and what is wrong in the data."""

from pathlib import Path

import response

TRIAL = Path(__file__).parent / "gist"

measurements = response.read(TRIAL / "measurements.csv", subjects=TRIAL / "subjects.csv")
assessment = response.assess(measurements, criteria=["recist-1.1", "choi"])

followed = assessment.timepoints[assessment.timepoints["overall"] != ""]
print(followed[["subject", "timepoint", "criterion", "overall", "reason"]].head(12).to_string(index=False))
print(
    assessment.subjects[["subject", "criterion", "best_response", "progression_date"]].head(12).to_string(index=False)
)
print(f"{len(assessment.findings)} findings")

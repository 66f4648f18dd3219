"""Tell the course of one subject: sums, changes, the rule behind each response, the distance to the next threshold."""

import sys
from pathlib import Path

import response

TRIAL = Path(__file__).parent / "mixed"

measurements = response.read(TRIAL / "measurements.csv", visits=TRIAL / "visits.csv", subjects=TRIAL / "subjects.csv")
assessment = response.assess(measurements)
print(assessment.explain(sys.argv[1] if len(sys.argv) > 1 else "MIX-005"))

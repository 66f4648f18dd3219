"""Makes a small synthetic trial of images: `python make_images.py FOLDER`; the same files come out at every run.

Three subjects, three CT each (no person's), with segmented liver lesions: one shrinks, one loses attenuation but
hardly size (as GIST metastases do under imatinib), and one gets a new lesion.
"""

import sys
from pathlib import Path

from synthetic.images import Exam, Lesion, write_exam

DATES = ("20240102", "20240305", "20240507")
FIRST, SECOND = (10, 40, 28), (10, 40, 54)  # centres
COURSES = {
    "IMG-001": [
        [Lesion("Lesion 1", FIRST, 30, 60), Lesion("Lesion 2", SECOND, 20, 60)],
        [Lesion("Lesion 1", FIRST, 20, 60), Lesion("Lesion 2", SECOND, 12, 60)],
        [Lesion("Lesion 1", FIRST, 18, 60), Lesion("Lesion 2", SECOND, 12, 60)],
    ],
    "IMG-002": [
        [Lesion("Lesion 1", FIRST, 30, 75)],
        [Lesion("Lesion 1", FIRST, 29, 50)],
        [Lesion("Lesion 1", FIRST, 28, 45)],
    ],
    "IMG-003": [
        [Lesion("Lesion 1", FIRST, 24, 60)],
        [Lesion("Lesion 1", FIRST, 24, 60)],
        [Lesion("Lesion 1", FIRST, 24, 60), Lesion("Lesion 2", SECOND, 16, 60)],
    ],
}


def main(out: Path) -> None:
    """Write the images below a folder, one study in each folder SUBJECT/DATE."""
    for subject, course in COURSES.items():
        for date, lesions in zip(DATES, course, strict=True):
            write_exam(out / subject / date, Exam(subject, date, lesions))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]))

"""Makes three small synthetic trials, each clean and with planted errors: `python make_trials.py [FOLDER]`.

The same files come out at every run. `gist/`, `crlm/` and `mixed/` hold the clean tables and a protocol; `errors/`
below each holds the same tables with errors, and `planted.csv`, which lists them.
"""

import sys
from copy import deepcopy
from pathlib import Path

from synthetic import crlm, errors, gist, mixed
from synthetic.build import write_csv


def main(out: Path) -> None:
    """Write the trials below a folder."""
    for maker, plan in ((gist, errors.GIST), (crlm, errors.CRLM), (mixed, errors.MIXED)):
        trial = maker.make()
        trial.write(out / trial.name)
        spoilt = deepcopy(trial)
        planted = errors.plant(spoilt, plan)
        spoilt.write(out / trial.name / "errors")
        write_csv(out / trial.name / "errors" / "planted.csv", errors.PLANTED_COLUMNS, planted)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)

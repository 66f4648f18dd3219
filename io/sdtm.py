"""CDISC SDTM oncology data: TU, TR and RS in.

TU says what the lesions are, TR what was measured on them, RS which responses were collected. All data sets of a
study are read together, for a lesion is only understood by TU and TR at once.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np

from response.errors import InputError
from response.findings import Finding
from response.io.sdtm_collected import CollectedReader
from response.io.sdtm_files import Dataset, domain_of, is_signed, read_dataset
from response.io.sdtm_keys import Domain, KeyReader, check_columns
from response.io.sdtm_lesions import LesionReader
from response.io.sdtm_results import ResultReader
from response.io.sdtm_tumours import Tumours
from response.protocol import Protocol
from response.table import TextTable, concatenate

DOMAINS: Final = ("TU", "TR", "RS")


@dataclass(frozen=True, eq=False)
class SdtmTables:
    """What SDTM data sets hold, in canonical columns.

    Attributes
    ----------
    measurements
        One row per lesion, visit and evaluator (`columns.COLUMNS`); without rows where only RS was given.
    collected
        The responses that were collected (`columns.COLLECTED_COLUMNS`), or None.
    findings
        Rows and cells that could not be used, and what a data manager should look at.
    notes
        What was decided, and what was left out on purpose.
    """

    measurements: TextTable
    collected: TextTable | None
    findings: list[Finding]
    notes: tuple[str, ...]


def sdtm_domain(path: Path) -> str | None:
    """Return the SDTM domain of a file (`TR`, `SUPPTR`, `DM` ...) by what it holds, or None."""
    return domain_of(path)


def is_sdtm(path: Path) -> bool:
    """Return whether a file is for `read_sdtm`: an SDTM data set, or a transport format, damaged or not."""
    return is_signed(path) or domain_of(path) is not None


def read_sdtm(paths: Sequence[Path], protocol: Protocol | None = None) -> SdtmTables:
    """Read the SDTM data sets of a study.

    1. TU names the lesions: role, organ, node or not, what split and what merged.
    2. The tests of TR at one visit by one evaluator become one row per lesion; TR finds its tumour by subject,
       evaluator and link id, and by subject and link id where TU names no evaluator.
    3. RS gives the collected responses, TR the collected sums.

    Parameters
    ----------
    paths
        CSV, SAS transport (version 5; 8 with pyreadstat) or Dataset-JSON 1.1. Other domains are passed over.
    protocol
        Where criteria of the study's own are defined, which RSCAT may name.

    Raises
    ------
    InputError
        If a file cannot be read, is empty, lacks a variable, or if there is none of TU, TR and RS.
    MissingExtraError
        If a transport file of version 8 is read without pyreadstat.
    """
    datasets = [read_dataset(path) for path in paths]
    findings = [finding for dataset in datasets for finding in dataset.findings]
    notes = [f"{dataset.table.files[0]}: {_told(dataset)}" for dataset in datasets]
    tables = [(prefix, table) for prefix in DOMAINS if (table := _table_of(prefix, datasets)) is not None]
    if not tables:
        found = ", ".join(dataset.domain for dataset in datasets) or "no file"
        raise InputError(", ".join(map(str, paths)), found, "TU, TR or RS among the data sets", "pass TU and TR")
    keys = KeyReader(tables)
    domains = {prefix: keys.domain(prefix, table) for prefix, table in tables}
    measurements, sums, more, decided = _read_lesions(domains, keys)
    reader = CollectedReader(protocol)
    collected = reader.read(domains.get("RS"), sums)
    notes += [*keys.notes, *decided, *reader.notes]
    if "TU" not in domains and "TR" in domains:
        notes.append("no TU: roles are those of TRGRPID; which lesions are nodes is known by their tests only")
    return SdtmTables(
        replace(measurements, notes=tuple(notes)), collected, [*findings, *more, *reader.findings], tuple(notes)
    )


def _table_of(prefix: str, datasets: Sequence[Dataset]) -> TextTable | None:
    tables = [dataset.table for dataset in datasets if dataset.domain == prefix]
    for table in tables:
        check_columns(prefix, table)
    return concatenate(tables) if tables else None


def _told(dataset: Dataset) -> str:
    rows = f"SDTM {dataset.domain}, {len(dataset.table)} rows"
    return rows if dataset.domain in DOMAINS else f"{rows}, not used"


def _read_lesions(
    domains: dict[str, Domain], keys: KeyReader
) -> tuple[TextTable, dict[tuple[str, str, str], str], list[Finding], list[str]]:
    nothing = TextTable({}, ("",), np.zeros(0, np.int16), np.zeros(0, np.int32))
    tumours = Tumours(domains.get("TU"))
    results = ResultReader(domains.get("TR") or keys.domain("TR", nothing))
    lesions = LesionReader(results.read(), tumours)
    table = lesions.read()
    findings = [*tumours.findings, *results.findings, *lesions.findings]
    return table, results.sums, findings, results.notes

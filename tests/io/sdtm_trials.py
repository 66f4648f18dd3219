"""Small SDTM data sets for tests, written as CSV."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

from response.io.sdtm import SdtmTables, read_sdtm

Row = Mapping[str, str]


def tu(lesion: str, role: str = "TARGET", loc: str = "LIVER", visit: str = "1", **more: str) -> Row:
    return {"TULNKID": lesion, "TUTESTCD": "TUMIDENT", "TUORRES": role, "TULOC": loc, "VISITNUM": visit, **more}


def tr(lesion: str, visit: str, code: str = "LDIAM", result: str = "", group: str = "TARGET", **more: str) -> Row:
    number = result if result.replace(".", "", 1).isdigit() else ""
    unit = "mm" if number else ""
    return {
        "TRGRPID": group, "TRLNKID": lesion, "TRTESTCD": code, "TRORRES": result, "TRORRESU": unit,
        "TRSTRESC": result, "TRSTRESN": number, "TRSTRESU": unit, "VISITNUM": visit,
        "VISIT": "SCREENING" if visit == "1" else f"WEEK {visit}", **more,
    }  # fmt: skip


def rs(code: str, result: str, visit: str = "2", **more: str) -> Row:
    return {"RSTESTCD": code, "RSORRES": result, "RSSTRESC": result, "VISITNUM": visit, **more}


def write(folder: Path, domain: str, rows: Sequence[Row], name: str = "") -> Path:
    """Write a data set; the evaluator is INVESTIGATOR and the subject S1 where a row does not say."""
    filled = [{"DOMAIN": domain, "USUBJID": "S1", f"{domain}EVAL": "INVESTIGATOR", **row} for row in rows]
    names = list(dict.fromkeys(name for row in filled for name in row))
    path = folder / (name or f"{domain.lower()}.csv")
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, names, restval="")
        writer.writeheader()
        writer.writerows(filled)
    return path


def read(folder: Path, **domains: Sequence[Row]) -> SdtmTables:
    """Write the domains and read them together."""
    return read_sdtm([write(folder, domain.upper(), rows) for domain, rows in domains.items()])


def rows_of(tables: SdtmTables, *names: str) -> list[tuple[str, ...]]:
    """Return columns of the measurement table, sorted."""
    return sorted(zip(*(tables.measurements.column(name).texts() for name in names), strict=True))


def ids_of(tables: SdtmTables) -> list[str]:
    return sorted(finding.id for finding in tables.findings)

"""Finds studies, series and instances on a DICOMweb server.

Source: DICOM PS3.18, section 10.6 (search transaction, QIDO-RS), annex F (DICOM JSON).

Servers differ: some pass over `limit` and `offset`, some over the filter, and some give a dozen results whatever is
asked. So pages are asked for until one brings nothing new, and each result is compared with what was looked for.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from response.findings import Finding
from response.io.dicomweb_address import PacsError
from response.io.study_list import StudyEntry, compact, is_uid

PAGE: Final = 200
MOST_PAGES: Final = 5_000
MOST_FAILURES: Final = 3  # searches one after the other in which the server breaks: then it is given up

STUDY_UID: Final = "0020000D"
SERIES_UID: Final = "0020000E"
INSTANCE_UID: Final = "00080018"
_MODALITY: Final = "00080060"
_PATIENT_ID: Final = "00100020"
_ACCESSION: Final = "00080050"
_STUDY_DATE: Final = "00080020"
_INSTANCES: Final = "00201209"  # Number of Series Related Instances

# These say that this search cannot be done, not that none can.
_THIS_SEARCH: Final = frozenset({400, 500, 501})
# A server answers so to a search that it does not offer.
_NO_SEARCH: Final = frozenset({400, 404, 405, 406, 501})

Item = Mapping[str, Any]
Ask = Callable[..., Sequence[Item]]


@dataclass(frozen=True, kw_only=True)
class StudyRef:
    """One study on the server.

    Attributes
    ----------
    study_instance_uid
        Its Study Instance UID.
    subject
        Patient ID, or empty.
    date
        ISO date of the study, or empty.
    entry
        The line of the study list that asked for it.
    """

    study_instance_uid: str
    subject: str = field(default="", repr=False)
    date: str = ""
    entry: StudyEntry | None = None


@dataclass(frozen=True, kw_only=True)
class SeriesRef:
    """One series on the server.

    Attributes
    ----------
    study_instance_uid, series_instance_uid
        Its UIDs.
    modality
        As CT, MR, SEG; empty where the server does not say.
    instances
        How many files it has; 0 where the server does not say.
    """

    study_instance_uid: str
    series_instance_uid: str
    modality: str = ""
    instances: int = 0


@dataclass(frozen=True, kw_only=True)
class StudySearch:
    """What a study list found.

    Attributes
    ----------
    studies
        In the order of the list, each once.
    findings
        Lines that found no study, or more than can be told apart.
    """

    studies: tuple[StudyRef, ...]
    findings: tuple[Finding, ...]


def search_studies(ask: Ask, entries: Sequence[StudyEntry], host: str) -> StudySearch:
    """Look for the studies of a list; see `response.io.dicomweb.Pacs.find_studies`."""
    found: dict[str, StudyRef] = {}
    findings: list[Finding] = []
    refused = failed = 0
    for entry in entries:
        try:
            results = _all_pages(ask, _filter(entry), STUDY_UID, host)
        except PacsError as error:
            refused, failed = refused + 1, failed + error.is_passing
            if error.status not in _THIS_SEARCH or refused == len(entries) or failed == MOST_FAILURES:
                raise
            findings.append(_finding(entry, "search_refused", f"{host} refused to look for it: {error.found}", host))
            continue
        failed = 0
        for study in _matching(entry, [_study(item, entry) for item in results], findings, host):
            found.setdefault(study.study_instance_uid, study)
    return StudySearch(studies=tuple(found.values()), findings=tuple(findings))


def search_series(ask: Ask, study_uid: str, host: str) -> list[SeriesRef]:
    """Return the series of a study."""
    return [
        SeriesRef(
            study_instance_uid=study_uid,
            series_instance_uid=_text(item, SERIES_UID),
            modality=_text(item, _MODALITY).upper(),
            instances=_count(item, _INSTANCES),
        )
        for item in _all_pages(ask, {}, SERIES_UID, host)
        if _text(item, STUDY_UID) in {"", study_uid}
    ]


def search_instances(ask: Ask, series: SeriesRef, host: str) -> set[str] | None:
    """Return the SOP Instance UIDs of a series, or None where the server does not offer to list them."""
    try:
        items = _all_pages(ask, {}, INSTANCE_UID, host)
    except PacsError as error:
        if error.status in _NO_SEARCH:
            return None
        raise
    of_it = [item for item in items if _text(item, SERIES_UID) in {"", series.series_instance_uid}]
    return {_text(item, INSTANCE_UID) for item in of_it}


def _all_pages(ask: Ask, wanted: Mapping[str, str], key: str, host: str) -> list[Item]:
    """Return all results, each once; a page that brings none that is new is the last."""
    found: dict[str, Item] = {}
    offset = 0
    for _ in range(MOST_PAGES):
        page = [_upper(item) for item in _checked(ask(limit=PAGE, offset=offset, search_filters=dict(wanted)), host)]
        new = {uid: item for item in page if (uid := _text(item, key)) and uid not in found}
        if not new:
            return list(found.values())
        found |= new
        offset += len(page)
    raise PacsError(host, f"a list of more than {MOST_PAGES} pages", "a list that ends", "ask for less")


def _checked(results: Any, host: str) -> Sequence[Item]:
    if isinstance(results, Sequence) and all(isinstance(item, Mapping) for item in results):
        return results
    raise PacsError(host, "JSON that is no list of datasets", "a list as DICOM JSON", status=200)


def _upper(item: Item) -> Item:
    return {str(tag).upper(): element for tag, element in item.items()}


def _text(item: Item, tag: str) -> str:
    """Return the first value of an attribute as text; empty where there is none."""
    element = item.get(tag)
    values = element.get("Value") if isinstance(element, Mapping) else None
    first = values[0] if isinstance(values, list) and values else None
    return str(first).strip().strip("\0") if isinstance(first, str | int | float) else ""


def _count(item: Item, tag: str) -> int:
    text = _text(item, tag)
    return int(text) if text.isdecimal() and len(text) < 10 else 0


# --- Studies.


def _filter(entry: StudyEntry) -> dict[str, str]:
    if entry.study_instance_uid:
        return {"StudyInstanceUID": entry.study_instance_uid}
    if entry.accession_number:
        return {"AccessionNumber": entry.accession_number}
    dates = compact((entry.first_date, entry.last_date))
    return {"PatientID": entry.subject} | ({"StudyDate": dates} if dates else {})


def _study(item: Item, entry: StudyEntry) -> tuple[StudyRef, str]:
    """Return a result, and its accession number."""
    day = _text(item, _STUDY_DATE).replace("-", "")
    date = f"{day[:4]}-{day[4:6]}-{day[6:]}" if len(day) == 8 and day.isdecimal() else ""
    study = StudyRef(
        study_instance_uid=_text(item, STUDY_UID), subject=_text(item, _PATIENT_ID), date=date, entry=entry
    )
    return study, _text(item, _ACCESSION)


def _matching(
    entry: StudyEntry, results: Sequence[tuple[StudyRef, str]], findings: list[Finding], host: str
) -> list[StudyRef]:
    """Return the results that are what the line asks for; a server may give more than was looked for."""
    asked = [(study, accession) for study, accession in results if _is_asked(entry, study, accession)]
    if not asked:
        findings.append(_finding(entry, "study_not_found", f"{host} has no such study", host))
        return []
    agreeing = [study for study, accession in asked if not _disagreeing(entry, study, accession)]
    if entry.study_instance_uid and not agreeing:  # the UID says which study is meant, whatever else the line says
        columns = ", ".join(_disagreeing(entry, *asked[0]))
        said = f"{host} has the study, but another {columns} than the line says; it is used"
        findings.append(_finding(entry, "study_disagrees", said, host, severity="warning"))
        return [asked[0][0]]
    if not agreeing:
        columns = ", ".join(dict.fromkeys(name for one in asked for name in _disagreeing(entry, *one)))
        said = f"{host} has such a study, but with another {columns} than the line says; it is not used"
        findings.append(_finding(entry, "study_disagrees", said, host))
        return []
    if len({study.subject for study in agreeing}) > 1:
        uids = ", ".join(study.study_instance_uid for study in agreeing)
        said = f"{host} has studies of several subjects under this accession number ({uids}); none is used"
        findings.append(_finding(entry, "ambiguous_accession_number", said, host))
        return []
    return agreeing


def _is_asked(entry: StudyEntry, study: StudyRef, accession: str) -> bool:
    """Return whether a result is what was looked for: exactly, for servers take `*` and upper case in their own way."""
    if not is_uid(study.study_instance_uid):
        return False
    if entry.study_instance_uid:
        return study.study_instance_uid == entry.study_instance_uid
    if entry.accession_number:
        return accession == entry.accession_number
    return study.subject == entry.subject


def _disagreeing(entry: StudyEntry, study: StudyRef, accession: str) -> list[str]:
    """Return the columns in which a study differs from its line, where both say something."""
    pairs = {
        "accession_number": (entry.accession_number, accession),
        "subject": (entry.subject, study.subject),
    }
    columns = [name for name, (said, found) in pairs.items() if said and found and said != found]
    if study.date and not (entry.first_date or study.date) <= study.date <= (entry.last_date or study.date):
        columns.append("date")
    if not study.date and (entry.first_date or entry.last_date):
        columns.append("date")
    return columns


def _finding(entry: StudyEntry, name: str, sentence: str, host: str, *, severity: Any = "error") -> Finding:
    return Finding(
        id=name,
        severity=severity,
        subject=entry.subject,
        found=entry.study_instance_uid,
        expected="one study on the server",
        sentence=f"line {entry.line}: {sentence}" if entry.line else sentence,
        remedy=f"check the line, and whether {host} has the study",
        file=entry.file,
        line=entry.line,
    )

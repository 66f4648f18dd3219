"""The tumours that TU identifies: role, organ, location, method, and what split from or merged with what."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from response.findings import Finding
from response.io import sdtm_words as words
from response.io.sdtm_keys import Domain
from response.vocabulary import LocalTreatment, Role, folded, is_nodal_site, text_of

Key = tuple[str, str, str]  # subject, evaluator, lesion

_JOINT: Final = re.compile(r"\s*[/+&,;]\s*|\s+and\s+", re.IGNORECASE)
_FRAGMENT: Final = re.compile(r"(?P<parent>.+?)(?:[._\-]\w{1,2}|[a-z])", re.IGNORECASE)
_YES: Final = frozenset({"y", "yes", "true", "1"})


@dataclass(frozen=True, kw_only=True)
class Tumour:
    """One lesion, as TU identifies it.

    Attributes
    ----------
    role
        `Role.NONE` where TU does not say.
    organ, location, modality
        As written.
    previously_treated
        Member of `LocalTreatment`, as text.
    split, merged
        Whether it is a fragment, or a mass of others.
    group
        TUGRPID, which may name the lesion that a fragment split from.
    equivocal
        Whether TU itself calls a new lesion equivocal.
    row
        Of TU, the first that identifies it; -1 where none does.
    """

    role: Role = Role.NONE
    organ: str = ""
    location: str = ""
    modality: str = ""
    previously_treated: str = ""
    split: bool = False
    merged: bool = False
    group: str = ""
    equivocal: bool = False
    row: int = -1

    @property
    def nodal(self) -> bool | None:
        """Whether it is a lymph node; None where no organ is written."""
        return is_nodal_site(f"{self.organ} {self.location}") if self.organ else None


class Tumours(Mapping[Key, Tumour]):
    """The tumours of all subjects, by subject, evaluator and link id."""

    def __init__(self, domain: Domain | None) -> None:
        self.domain = domain
        self.findings: list[Finding] = []
        self._tumours: dict[Key, Tumour] = {}
        if domain is not None:
            self._read(domain)

    def __getitem__(self, key: Key) -> Tumour:
        """Return the tumour of a key."""
        return self._tumours[key]

    def __iter__(self) -> Iterator[Key]:
        """Iterate over the keys, in the order of TU."""
        return iter(self._tumours)

    def __len__(self) -> int:
        """Return the number of tumours."""
        return len(self._tumours)

    def linked(self, subject: str, evaluators: Iterable[str], lesion: str) -> Key | None:
        """Return the key of the tumour of a result: of its evaluator, else of one that TU does not name."""
        keys = ((subject, evaluator, lesion) for evaluator in (*evaluators, ""))
        return next((key for key in keys if key in self._tumours), None)

    def _read(self, domain: Domain) -> None:
        unusable, self.findings = domain.unusable_rows()
        lesions = domain.column("LNKID").texts()
        subjects, evaluators = domain.keys.subject.texts(), domain.keys.evaluator.texts()
        codes = domain.column("TESTCD").texts()
        for row, (subject, evaluator, lesion, code) in enumerate(
            zip(subjects, evaluators, lesions, codes, strict=True)
        ):
            if unusable[row]:
                continue
            key = (subject, evaluator, lesion)
            if not lesion:
                self.findings.append(_no_link(domain, row))
            elif words.is_identification(code):
                self._identify(domain, row, key, code)
            else:
                self._describe(domain, row, key, code)

    def _identify(self, domain: Domain, row: int, key: Key, code: str) -> None:
        standard, original = domain.column("STRESC").text(row), domain.column("ORRES").text(row)
        role = words.role_of(standard) or words.role_of(original)
        known = self._tumours.get(key)
        if role is Role.NONE:
            self.findings.append(_unknown_role(domain, row, key[2], standard or original))
        if known is not None and known.row >= 0:
            if role not in (Role.NONE, known.role):
                self.findings.append(role_conflict(domain, row, key[2], known.role, role))
            return
        self._tumours[key] = replace(
            known or Tumour(),
            role=role,
            organ=domain.column("LOC").text(row),
            location=_location(domain, row),
            modality=domain.column("METHOD").text(row),
            previously_treated=_treated(domain, row) or (known.previously_treated if known else ""),
            split=words.is_split(code),
            merged=words.is_merged(code),
            group=domain.column("GRPID").text(row),
            equivocal="equivocal" in folded(f"{standard} {original}").split(),
            row=row,
        )

    def _describe(self, domain: Domain, row: int, key: Key, code: str) -> None:
        """Take up a row that says more of a lesion: that it was irradiated before."""
        yes = folded(domain.column("STRESC").text(row) or domain.column("ORRES").text(row)) in _YES
        if "PREVIR" not in code.upper():
            return
        known = self._tumours.get(key, Tumour())
        treated = LocalTreatment.PROGRESSED_SINCE if code.upper().endswith("PREVIRP") else LocalTreatment.YES
        if yes and known.previously_treated != text_of(LocalTreatment.PROGRESSED_SINCE):
            self._tumours[key] = replace(known, previously_treated=text_of(treated))


def parts_of(lesion: str, known: Iterable[str]) -> list[str]:
    """Return the lesions that a mass is made of (T02/T03, T02/03); none where these are not all known."""
    names = [name for name in _JOINT.split(lesion) if name]
    if len(names) < 2:
        return []
    stem = re.sub(r"\d+$", "", names[0])
    names = [stem + name if name.isdigit() else name for name in names]
    return names if set(names) <= set(known) else []


def parent_of(lesion: str, group: str, known: Iterable[str]) -> str:
    """Return the lesion that a fragment split from (T04 of T04.1 or T04a); empty where none is known."""
    lesions = set(known)
    match = _FRAGMENT.fullmatch(lesion)
    named = match["parent"] if match else ""
    return next((name for name in (named, group) if name in lesions and name != lesion), "")


def role_conflict(domain: Domain, row: int, lesion: str, first: Role, later: Role) -> Finding:
    """Return the finding for a lesion that is called two things; the first stands."""
    return domain.finding(
        row,
        id="role_conflict",
        severity="warning",
        lesion=lesion,
        column=f"{domain.prefix}{'ORRES' if domain.prefix == 'TU' else 'GRPID'}",
        found=text_of(later),
        expected=text_of(first),
        sentence=f"The lesion is called {text_of(later)} here and was identified as {text_of(first)}; "
        f"it was taken as {text_of(first)}.",
        remedy="Correct the role, or give the lesion its own link id.",
    )


def _location(domain: Domain, row: int) -> str:
    parts = (domain.column(name).text(row) for name in ("LOC", "LAT", "DIR", "PORTOT", "LOCDTL"))
    return ", ".join(part for part in parts if part)


def _treated(domain: Domain, row: int) -> str:
    if folded(domain.column("PREVIRP").text(row)) in _YES:
        return text_of(LocalTreatment.PROGRESSED_SINCE)
    return text_of(LocalTreatment.YES) if folded(domain.column("PREVIR").text(row)) in _YES else ""


def _no_link(domain: Domain, row: int) -> Finding:
    return domain.finding(
        row,
        id="unusable_row",
        column="TULNKID",
        expected="the link id of the lesion",
        sentence="TULNKID is blank, so that no result can belong to this tumour. The row was left out.",
        remedy="Give the lesion its link id.",
    )


def _unknown_role(domain: Domain, row: int, lesion: str, found: str) -> Finding:
    return domain.finding(
        row,
        id="unusable_cell",
        lesion=lesion,
        column="TUORRES",
        found=found,
        expected="TARGET, NON-TARGET or NEW",
        sentence=f"TUORRES is '{found}'; expected TARGET, NON-TARGET or NEW. The role was taken from TRGRPID.",
        remedy="Correct the classification of the lesion.",
    )

"""Searching a PACS: servers that answer well, and the ways in which real ones do not."""

import json
import logging
from typing import Any

import pytest

from response.errors import InputError
from response.io import dicomweb_session
from response.io.dicomweb import Pacs, PacsError, SeriesRef, StudyRef
from response.io.study_list import StudyEntry
from tests.pacs_stub import JSON, Asked, Reply, Route, Stub, archive, found, instance, listed, serving

STUDIES = [
    instance("1.1", "1.1.1", "1.1.1.1", subject="S1", date="20240110", accession="A1"),
    instance("1.2", "1.2.1", "1.2.1.1", subject="S1", date="20240410", accession="A2"),
    instance("1.3", "1.3.1", "1.3.1.1", subject="S1", date="", accession="A3"),
    instance("2.1", "2.1.1", "2.1.1.1", subject="S2", date="20240110", accession="A2"),
    instance("2.2", "2.2.1", "2.2.1.1", subject="S2", date="20240510", accession="A4"),
    instance("2.3", "2.3.1", "2.3.1.1", subject="S2", date="20240511", accession="A4"),
]
UID_11 = StudyEntry(study_instance_uid="1.1", line=1)


def asking(route: Route, **options: Any) -> Any:
    # Long enough for a busy machine: only what tests slowness waits for less.
    return serving(route), {"timeout": 10, "attempts": 2, "pause": 0.01} | options


def find(route: Route, *entries: StudyEntry, **options: Any) -> tuple[list[str], list[Any]]:
    server, options = asking(route, **options)
    with server as stub, Pacs(stub.url, **options) as pacs:
        search = pacs.find_studies(entries)
    told = [(finding.id, finding.severity, finding.line) for finding in search.findings]
    return [study.study_instance_uid for study in search.studies], told


def uid(value: str, **more: Any) -> StudyEntry:
    return StudyEntry(study_instance_uid=value, line=1, **more)


def accession(value: str, **more: Any) -> StudyEntry:
    return StudyEntry(accession_number=value, line=1, **more)


def subject(value: str, first: str = "", last: str = "") -> StudyEntry:
    return StudyEntry(subject=value, first_date=first, last_date=last, line=1)


NOT_FOUND, DISAGREES, AMBIGUOUS = "study_not_found", "study_disagrees", "ambiguous_accession_number"
SEARCHES = [
    # what                                     entry                                     studies          finding
    ("by UID",                                  uid("1.1"),                               ["1.1"],         ""),
    ("an unknown UID",                          uid("9.9"),                               [],              NOT_FOUND),
    ("by UID, another subject: the UID says it", uid("1.1", subject="S2"),                ["1.1"],         DISAGREES),
    ("by UID, another date",                    uid("1.1", first_date="2024-02-01"),      ["1.1"],         DISAGREES),
    ("by accession number",                     accession("A1"),                          ["1.1"],         ""),
    ("two studies of one accession number",     accession("A4"),                          ["2.2", "2.3"],  ""),
    ("one accession number, two subjects",      accession("A2"),                          [],              AMBIGUOUS),
    ("... told apart by the subject",           accession("A2", subject="S2"),            ["2.1"],         ""),
    ("... told apart by the date",              accession("A2", first_date="2024-04-01"), ["1.2"],         ""),
    ("another subject's accession number",      accession("A1", subject="S2"),            [],              DISAGREES),
    ("by subject",                              subject("S1"),                            ["1.1", "1.2", "1.3"], ""),
    ("... between dates, both included",        subject("S2", "2024-01-10", "2024-05-10"), ["2.1", "2.2"], ""),
    ("... from a date on, not without a date",  subject("S1", "2024-01-11"),              ["1.2"],         ""),
    ("... up to a date",                        subject("S2", "", "2024-05-09"),          ["2.1"],         ""),
    ("a wildcard is a text",                    subject("S*"),                            [],              NOT_FOUND),
    ("upper and lower case differ",             subject("s1"),                            [],              NOT_FOUND),
]  # fmt: skip


def unfiltered(asked: Asked) -> Reply:
    """Answer with everything, whatever is looked for."""
    query = {name: value for name, value in asked.query.items() if name in {"limit", "offset"}}
    return archive(STUDIES)(Asked(asked.method, asked.path, query, asked.headers, asked.body))


@pytest.mark.parametrize("route", [archive(STUDIES), archive(STUDIES, page=1), unfiltered])
@pytest.mark.parametrize(
    ("entry", "studies", "finding"), [row[1:] for row in SEARCHES], ids=[row[0] for row in SEARCHES]
)
def test_studies_are_found(entry: StudyEntry, studies: list[str], finding: str, route: Route) -> None:
    severity = "warning" if studies else "error"
    assert find(route, entry) == (studies, [(finding, severity, 1)] if finding else [])


def test_studies_come_in_the_order_of_the_list_and_once() -> None:
    entries = [StudyEntry(study_instance_uid="2.2"), StudyEntry(subject="S2"), UID_11, StudyEntry(subject="S2")]
    assert find(archive(STUDIES), *entries) == (["2.2", "2.1", "2.3", "1.1"], [])


def test_what_is_known_of_a_study() -> None:
    with serving(archive(STUDIES)) as stub, Pacs(stub.url) as pacs:
        (study,) = pacs.find_studies([UID_11]).studies
    assert study == StudyRef(study_instance_uid="1.1", subject="S1", date="2024-01-10", entry=UID_11)
    assert "S1" not in repr(study)


@pytest.mark.parametrize(
    ("written", "date"),
    [
        ("20240110", "2024-01-10"),
        ("2024-01-10", "2024-01-10"),
        ("2024", ""),
        ("2024-1-1", ""),
        ("2024Jan1", ""),
        ("", ""),
    ],
)
def test_dates_of_studies(written: str, date: str) -> None:
    item = {"0020000D": {"vr": "UI", "Value": ["1.1"]}, "00080020": {"vr": "DA", "Value": [written]}}
    with serving(lambda _: listed([item])) as stub, Pacs(stub.url) as pacs:
        assert [study.date for study in pacs.find_studies([UID_11]).studies] == [date]


def test_what_is_asked_for() -> None:
    entries = [UID_11, accession("A1", subject="S1"), subject("S1"), subject("S1", "2024-01-02", "2024-02-01")]
    with serving(archive([])) as stub, Pacs(stub.url) as pacs:
        pacs.find_studies(entries)
    asked = [{key: value for key, value in one.query.items() if key not in {"limit", "offset"}} for one in stub.asked]
    assert asked == [
        {"StudyInstanceUID": "1.1"},
        {"AccessionNumber": "A1"},
        {"PatientID": "S1"},
        {"PatientID": "S1", "StudyDate": "20240102-20240201"},
    ]


def test_findings_name_the_line() -> None:
    entries = [StudyEntry(study_instance_uid="9.9", file="list.txt", line=7), StudyEntry(study_instance_uid="9.8")]
    with serving(archive([])) as stub, Pacs(stub.url) as pacs:
        named, unnamed = pacs.find_studies(entries).findings
    assert (named.file, named.line) == ("list.txt", 7)
    assert named.sentence.startswith("line 7: 127.0.0.1:")
    assert unnamed.sentence.startswith("127.0.0.1:")


# --- Pages.


def test_a_server_that_passes_over_limit_and_offset() -> None:
    asked_offsets = []

    def route(asked: Asked) -> Reply:
        asked_offsets.append(asked.query["offset"])
        query = {name: value for name, value in asked.query.items() if name not in {"limit", "offset"}}
        return archive(STUDIES)(Asked(asked.method, asked.path, query, asked.headers, asked.body))

    assert find(route, StudyEntry(subject="S2")) == (["2.1", "2.2", "2.3"], [])
    assert asked_offsets == ["0", "3"]


def test_a_list_that_never_ends_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("response.io.dicomweb_search.MOST_PAGES", 5)

    def route(asked: Asked) -> Reply:
        return listed([{"0020000D": {"vr": "UI", "Value": [f"1.{asked.query['offset']}"]}}])

    with pytest.raises(PacsError, match="more than 5 pages"):
        find(route, UID_11)


def test_no_content_is_an_empty_list() -> None:
    assert find(lambda _: Reply(status=204, kind=None), UID_11)[1] == [("study_not_found", "error", 1)]


# --- Odd but usable answers.

ODD_ITEMS = [
    {"0020000d": {"vr": "UI", "Value": ["1.1"]}},
    {
        "0020000D": {"vr": "UI", "Value": [" 1.1\0"]},
        "00080020": {"vr": "DA"},
        "00100020": {"vr": "LO", "Value": [None]},
    },
    {"0020000D": {"vr": "UI", "Value": ["1.1"]}, "00080020": {"vr": "DA", "Value": []}, "00080050": "A1", "x": None},
]


@pytest.mark.parametrize("item", ODD_ITEMS)
def test_odd_json_is_read(item: dict[str, Any]) -> None:
    assert find(lambda _: listed([item, {}, {"0020000D": {"Value": [{}]}}]), UID_11) == (["1.1"], [])


@pytest.mark.parametrize(
    "kind", ["application/json", "application/dicom+json; charset=utf-8", "Application/DICOM+JSON"]
)
def test_types_of_json(kind: str) -> None:
    body = json.dumps([{"0020000D": {"vr": "UI", "Value": ["1.1"]}}]).encode()
    assert find(lambda _: Reply(kind=kind, body=body), UID_11)[0] == ["1.1"]


def test_a_uid_with_a_path_in_it_is_no_study() -> None:
    item = {"0020000D": {"vr": "UI", "Value": ["../../1.1"]}, "00100020": {"vr": "LO", "Value": ["S1"]}}
    assert find(lambda _: listed([item]), StudyEntry(subject="S1"))[0] == []


# --- Answers that cannot be used.

LOG_IN = b"<html>please log in, CANARY-DOE</html>"
FAULTS = [
    # what, answer, said, times asked
    ("a page to log in", Reply(kind="text/html; charset=utf-8", body=LOG_IN), "type 'text/html'", 1),
    ("JSON that is called a text", Reply(kind="text/plain", body=b"[]"), "type 'text/plain'", 1),
    ("no type at all", Reply(kind=None, body=b"[]"), "without a type", 1),
    ("an empty answer", Reply(body=b""), "an empty answer", 1),
    ("no JSON", Reply(body=b"[CANARY-DOE"), "no JSON", 1),
    ("JSON that is cut off", Reply(body=b'[{"0020000D":'), "no JSON", 1),
    ("bytes that are no text", Reply(body=b"\xff\xfe\xfa["), "no JSON", 1),
    ("JSON without end", Reply(body=b"[" * 200_000), "no JSON", 1),
    ("JSON of something else", Reply(body=b'["CANARY-DOE", 1]'), "no list of datasets", 1),
    ("a number", Reply(body=b"17"), "no list of datasets", 1),
    ("unknown user", Reply(status=401, body=LOG_IN), "401 (Unauthorized)", 1),
    ("no right", Reply(status=403, body=LOG_IN), "403 (Forbidden)", 1),
    ("the wrong path", Reply(status=404, body=LOG_IN), "404 (Not Found)", 1),
    ("asked too often", Reply(status=429, body=LOG_IN), "429 (Too Many Requests)", 2),
    ("out of order", Reply(status=503, body=LOG_IN), "503 (Service Unavailable)", 2),
    ("a gateway that waits in vain", Reply(status=504, body=LOG_IN), "504 (Gateway Timeout)", 2),
    ("a status that is none", Reply(status=299, kind="text/html", body=LOG_IN), "type 'text/html'", 1),
    ("silence", Reply(wait=3, body=b"[]"), "within 0.4 s", 2),
    ("a byte now and then", Reply(slow=0.05, body=b"[" + b" " * 500 + b"]"), "within 0.4 s", 2),
    ("hanging up", Reply(hang_up=True), "a connection that broke off", 2),
    ("hanging up in the middle", Reply(body=b"[]" + b" " * 50, cut=20), "a connection that broke off", 2),
]


@pytest.mark.parametrize(("reply", "said", "times"), [row[1:] for row in FAULTS], ids=[row[0] for row in FAULTS])
def test_answers_that_cannot_be_used(reply: Reply, said: str, times: int, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    server, options = asking(lambda _: reply, **({"timeout": 0.4} if reply.wait or reply.slow else {}))
    with server as stub, Pacs(stub.url, **options) as pacs:
        with pytest.raises(PacsError) as told:
            pacs.find_studies([StudyEntry(subject="CANARY-1", line=1)])
        assert len(stub.asked) == times
        assert told.value.where in stub.url
    assert said in str(told.value)
    assert "CANARY" not in str(told.value) + caplog.text
    assert told.value.__cause__ is None


def test_the_query_names_patients_and_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    told = Reply(headers={"Warning": '299 "CANARY-2 has more"'}, body=b"[]")
    assert find(lambda _: told, StudyEntry(subject="CANARY-1"))[1] == [("study_not_found", "error", 0)]
    assert "CANARY" not in caplog.text


def test_findings_do_not_say_the_subject_in_words() -> None:
    with serving(archive(STUDIES)) as stub, Pacs(stub.url) as pacs:
        entries = [StudyEntry(subject="CANARY-1"), StudyEntry(accession_number="A2", subject="CANARY-1")]
        findings = pacs.find_studies(entries).findings
    assert len(findings) == 2
    assert all("CANARY" not in finding.sentence + finding.found + finding.remedy for finding in findings)


def test_an_endless_answer_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dicomweb_session, "LARGEST_ANSWER", 1000)
    with pytest.raises(PacsError, match="more than 1000 bytes"):
        find(lambda _: Reply(body=b"[" + b" " * 2000 + b"]"), UID_11)


@pytest.mark.parametrize("status", [400, 500, 501])
def test_a_search_that_is_refused_stops_only_itself(status: int) -> None:
    def route(asked: Asked) -> Reply:
        return Reply(status=status, body=LOG_IN) if "PatientID" in asked.query else archive(STUDIES)(asked)

    entries = [StudyEntry(subject="S1", line=1), StudyEntry(study_instance_uid="1.1", line=2)]
    assert find(route, *entries) == (["1.1"], [("search_refused", "error", 1)])


def test_a_server_that_breaks_on_every_search_is_given_up() -> None:
    asked: list[Asked] = []

    def route(request: Asked) -> Reply:
        asked.append(request)
        return Reply(status=500) if "PatientID" in request.query else archive(STUDIES)(request)

    entries = [UID_11, *(StudyEntry(subject=f"S{number}") for number in range(20))]
    with pytest.raises(PacsError, match="HTTP status 500"):
        find(route, *entries)
    assert len(asked) == 2 + 3 * 2  # two pages of the first, then three searches in two attempts


def test_a_search_that_no_line_can_make_is_an_error() -> None:
    with pytest.raises(PacsError, match=r"HTTP status 400 .*is the address the root"):
        find(lambda _: Reply(status=400), UID_11, StudyEntry(subject="S1"))


def test_what_passes_is_tried_again() -> None:
    replies = [Reply(status=503), Reply(hang_up=True), Reply(status=502)]

    def route(asked: Asked) -> Reply:
        return replies.pop() if replies else archive(STUDIES)(asked)

    assert find(route, UID_11, attempts=4) == (["1.1"], [])


def test_a_server_that_asks_to_wait_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []
    monkeypatch.setattr("response.io.dicomweb_session.time.sleep", waited.append)
    replies = [Reply(status=503, headers={"Retry-After": "7"}), Reply(status=503, headers={"Retry-After": "9" * 9})]

    def route(asked: Asked) -> Reply:
        return replies.pop(0) if replies else archive(STUDIES)(asked)

    assert find(route, UID_11, attempts=3)[0] == ["1.1"]
    assert [seconds for seconds in waited if seconds > 1] == [7, 30]


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://a..b/dicom-web", "an unknown host"),  # no name server is asked for it
        ("http://[::]:1/dicom-web", "nothing that listens"),
    ],
)
def test_addresses_that_lead_nowhere(url: str, said: str) -> None:
    with Pacs(url, attempts=1, timeout=2) as pacs, pytest.raises(PacsError, match=said):
        pacs.find_studies([UID_11])


def test_nothing_listens_there() -> None:
    with serving(archive([])) as stub:
        pass
    with Pacs(stub.url, attempts=2, pause=0.01) as pacs, pytest.raises(PacsError, match="nothing that listens"):
        pacs.find_studies([UID_11])


def https(stub: Stub) -> Pacs:
    return Pacs(stub.url.replace("http:", "https:"), timeout=2)


def test_https_where_there_is_none() -> None:
    with serving(archive([])) as stub, https(stub) as pacs, pytest.raises(PacsError, match="REQUESTS_CA_BUNDLE"):
        pacs.find_studies([UID_11])


def test_certificates_that_are_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/none/of/this.pem")
    with (
        serving(archive([])) as stub,
        https(stub) as pacs,
        pytest.raises(PacsError, match="certificates that cannot be read"),
    ):
        pacs.find_studies([UID_11])


# --- Series.


def test_series_that_can_be_of_use() -> None:
    kinds = ["CT", "MR", "PT", "SEG", "RTSTRUCT", "SR", "US", "KO", ""]
    files = [instance("1.1", f"1.1.{at}", f"1.1.{at}.1", modality=kind) for at, kind in enumerate(kinds)]
    files.append(instance("1.1", "1.1.0", "1.1.0.2"))
    with serving(archive(files)) as stub, Pacs(stub.url) as pacs:
        useful = [(one.modality, one.instances) for one in pacs.series_of("1.1")]
        everything = [one.modality for one in pacs.series_of("1.1", all_modalities=True)]
    assert useful == [("CT", 2), ("MR", 1), ("PT", 1), ("SEG", 1), ("RTSTRUCT", 1), ("SR", 1), ("", 1)]
    assert everything == kinds


def test_series_of_another_study_are_passed_over() -> None:
    def route(asked: Asked) -> Reply:
        return found([*_datasets(STUDIES)], asked)

    with serving(route) as stub, Pacs(stub.url) as pacs:
        assert pacs.series_of("1.2") == [
            SeriesRef(study_instance_uid="1.2", series_instance_uid="1.2.1", modality="CT", instances=1)
        ]


@pytest.mark.parametrize(
    ("written", "count"), [(5, 5), ("12", 12), ("", 0), ("many", 0), ("9" * 9, 999_999_999), ("9" * 30, 0), (-1, 0)]
)
def test_counts_of_instances(written: Any, count: int) -> None:
    item = {"0020000E": {"vr": "UI", "Value": ["1.1.1"]}, "00201209": {"vr": "IS", "Value": [written]}}
    with serving(lambda _: listed([item])) as stub, Pacs(stub.url) as pacs:
        assert [one.instances for one in pacs.series_of("1.1", all_modalities=True)] == [count]


def _datasets(files: list[bytes]) -> list[Any]:
    from io import BytesIO

    from pydicom import dcmread

    return [dcmread(BytesIO(file)) for file in files]


def test_a_study_without_a_uid_is_not_asked_for() -> None:
    with serving(archive([])) as stub, Pacs(stub.url) as pacs:
        with pytest.raises(InputError, match="Study Instance UID that is none"):
            pacs.series_of("../x")
        assert stub.asked == []


def test_json_is_asked_for() -> None:
    with serving(archive([])) as stub, Pacs(stub.url) as pacs:
        pacs.find_studies([UID_11])
        assert JSON in stub.asked[0].headers["Accept"]

"""Headers that DICOM SEG and RTSTRUCT are made from: what is left empty, and what is refused."""

from __future__ import annotations

import pytest

pytest.importorskip("highdicom")

import pydicom
from pydicom.dataelem import RawDataElement
from pydicom.tag import Tag

from dicom_kinds import segmented, validated
from dicom_series import edit, write_series
from metaunetr.errors import OutputError
from metaunetr.io import check_labels, read_image, write_labels


def raw(keyword: str, value: bytes):
    """An element as no library would write it."""
    tag = Tag(keyword)
    kind = pydicom.datadict.dictionary_VR(tag)
    value += b" " * (len(value) % 2)
    return pydicom.DataElement(tag, kind, "") if not value else RawDataElement(
        tag, kind, len(value), value, 0, False, True)


INVALID = [
    ("PatientBirthDate", b"1951-02-03"), ("PatientBirthDate", b"00000000"),
    ("PatientBirthDate", b"19510231"), ("PatientBirthDate", b"1951.02.03"),
    ("StudyDate", b"ANONYMIZED"), ("StudyDate", b"20200101\\20200102"),
    ("StudyTime", b"10:11:12"), ("StudyTime", b"999999"),
    ("PatientSex", b"FEMALE"), ("PatientSex", b"\xe4"),
    ("PatientAge", b"forty"), ("PatientWeight", b"71,5"), ("PatientSize", b"n/a"),
]


@pytest.mark.parametrize(("keyword", "value", "name"), [
    ("PatientSex", b"male", "out.dcm"),
    *((keyword, value, "out.rtstruct.dcm") for keyword, value in INVALID)])
def test_what_is_no_valid_value_is_left_empty(
        tmp_path, ct, result, recwarn, keyword, value, name):
    paths = write_series(tmp_path / "ct", ct, PatientID="P 7", AccessionNumber="A 7")
    for path in paths:
        header = pydicom.dcmread(path)
        header._dict[Tag(keyword)] = raw(keyword, value)
        header.save_as(path)
    labelled = segmented(tmp_path / "ct", result)
    description = pydicom.datadict.dictionary_description(keyword)
    (warning,) = check_labels(tmp_path / name, labelled.labels)
    assert f"is without {description}: no valid value" in warning
    write_labels(tmp_path / name, labelled)
    written = pydicom.dcmread(tmp_path / name)
    assert str(written.get(keyword, "")) == ""
    assert (written.PatientID, written.AccessionNumber) == ("P 7", "A 7")
    assert validated(tmp_path / name) == []
    assert [str(item.message) for item in recwarn] == []


VALID = {
    "PatientName": "Müller^Jörg", "PatientSex": "O", "PatientBirthDate": "19510203",
    "StudyTime": "101112.5", "PatientAge": "069Y", "StudyDescription": "Abdomen",
    "AccessionNumber": "A-000-17",
}


@pytest.mark.parametrize("name", ["out.dcm", "out.rtstruct.dcm"])
def test_what_is_valid_is_taken_over(tmp_path, ct, result, recwarn, name):
    write_series(tmp_path / "ct", ct, SpecificCharacterSet="ISO_IR 100", **VALID)
    labelled = segmented(tmp_path / "ct", result)
    assert check_labels(tmp_path / name, labelled.labels) == ()
    write_labels(tmp_path / name, labelled)
    written = pydicom.dcmread(tmp_path / name)
    assert {keyword: str(written[keyword].value) for keyword in VALID} == VALID
    assert [str(item.message) for item in recwarn] == []


@pytest.mark.parametrize(("elements", "message"), [
    ({"FrameOfReferenceUID": None}, r"valid Frame of Reference UID \(0020,0052\), it is ''"),
    ({"StudyInstanceUID": None}, r"valid Study Instance UID \(0020,000d\), it is ''"),
    ({"SOPInstanceUID": "1.2.x"}, r"valid SOP Instance UID \(0008,0018\), it is '1\.2\.x'"),
    ({"StudyInstanceUID": lambda k: f"1.2.{k + 1}"},
     r"one Study Instance UID \(0020,000d\) for all slices, it is '1\.2\.2' here and '1\.2\.1'"),
    ({"SOPInstanceUID": "1.2.3"},
     r"SOP Instance UID of its own for each slice, '1\.2\.3' is that of slice\d+\.dcm as well"),
])
def test_wrong_uids_are_refused_before_the_network_runs(
        tmp_path, ct, elements, message):
    paths = write_series(tmp_path / "ct", ct)
    for k, path in enumerate(paths):
        edit(path, **{key: value(k) if callable(value) else value
                      for key, value in elements.items()})
    image = read_image(tmp_path / "ct")
    with pytest.raises(OutputError, match=message) as refused:
        check_labels(tmp_path / "out.dcm", image)
    assert str(refused.value).startswith(str(tmp_path / "ct" / "slice"))

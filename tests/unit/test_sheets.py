"""Files of tables: what is written comes back, and memory does not grow with the rows."""

from __future__ import annotations

import gc
import tracemalloc
from pathlib import Path

import openpyxl
import pytest

from atoll.errors import BadRequest
from atoll.plugins.import_export.sheets import FORMATS, create, inspect, open_rows


def _peak(path: Path, kind: str, rows: int) -> tuple[int, int]:
    """Bytes that writing and reading take at most."""
    tracemalloc.start()
    writer = create(path, kind)
    for start in range(0, rows, 500):
        writer.write([[number, f"Order {number}", f"={number}"] for number in range(start, start + 500)])
    writer.close()
    written = tracemalloc.get_traced_memory()[1]
    tracemalloc.reset_peak()
    layout = inspect(path, {}).layout
    with open_rows(path, layout) as reader:
        count = 0
        for count, _ in enumerate(reader.rows(), 1):
            if count % 250 == 0:
                gc.collect()  # when garbage is found by itself depends on everything else in the process
        assert count == rows
    read = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return written, read


@pytest.mark.parametrize("kind", FORMATS)
def test_memory_does_not_depend_on_the_number_of_rows(tmp_path: Path, kind: str) -> None:
    _peak(tmp_path / f"warm.{kind}", kind, 500)
    few = _peak(tmp_path / f"few.{kind}", kind, 500)
    many = _peak(tmp_path / f"many.{kind}", kind, 4_000)
    # Rows that are kept would take 0.8 MB; openpyxl's reader leaves some 130 bytes of each behind.
    assert many[0] - few[0] < 400_000
    assert many[1] - few[1] < 800_000


def test_a_value_that_is_no_cell_becomes_text_in_a_table(tmp_path: Path) -> None:
    for kind in FORMATS:
        writer = create(tmp_path / kind, kind)
        writer.write([["A", "B"], [[1, "ü"], {"a": None}]])
        writer.close()
        with open_rows(tmp_path / kind, inspect(tmp_path / kind, {}).layout) as reader:
            assert list(reader.rows())[1] == ['[1,"ü"]', '{"a":null}']


def test_texts_that_cells_share_are_found_on_disk(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    for row in (["Title", "Ümlaut"], ["", "Ümlaut"], ["Title", "😀"]):
        book.worksheets[0].append(row)
    book.save(tmp_path / "shared.xlsx")
    with open_rows(tmp_path / "shared.xlsx", inspect(tmp_path / "shared.xlsx", {}).layout) as reader:
        rows = list(reader.rows())
    assert rows[0] == ["Title", "Ümlaut"]
    assert rows[1][1] == "Ümlaut"
    assert rows[2] == ["Title", "😀"]


def test_what_a_sheet_cannot_show_exactly_becomes_text(tmp_path: Path) -> None:
    writer = create(tmp_path / "x", "xlsx")
    writer.write([[10**15, 123456789012345, "a\x07b", "#N/A", "x" * 40_000]])
    writer.close()
    with open_rows(tmp_path / "x", inspect(tmp_path / "x", {}).layout) as reader:
        (row,) = reader.rows()
    assert row[:4] == ["1000000000000000", 123456789012345, "ab", "#N/A"]
    assert len(str(row[4])) == 32_767
    assert str(row[4]).endswith("…")


@pytest.mark.parametrize(
    ("content", "delimiter", "encoding", "first"),
    [
        (b"a;b\n1,5;2\n3,5;4\n", ";", "utf-8", ["a", "b"]),
        ("\ufeffä\tb\n1\t2\n".encode(), "\t", "utf-8-sig", ["ä", "b"]),
        ("名,数\n一,1\n".encode("gb18030"), ",", "gb18030", ["名", "数"]),
        (b"one column\nx\n", ",", "utf-8", ["one column"]),
    ],
)
def test_a_csv_file_is_understood(
    tmp_path: Path, content: bytes, delimiter: str, encoding: str, first: list[str]
) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(content)
    found = inspect(path, {})
    assert (found.layout.delimiter, found.layout.encoding, found.titles) == (delimiter, encoding, first)


def test_the_wrong_encoding_is_said_with_its_row(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(b"a,b\n" + b"x,y\n" * 100_000 + b"\xff\xfe,z\n")
    layout = inspect(path, {}).layout
    with open_rows(path, layout) as reader, pytest.raises(BadRequest, match="choose another encoding"):
        list(reader.rows())

"""The database opens whatever has happened, and holds the last states."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import sys
import time
from pathlib import Path

import pytest

from metaunetr.batch.run_database import STATES, Row, RunDatabase
from metaunetr.errors import OutputError

ROWS = [Row(f"case {n}") for n in range(20)]


@pytest.fixture
def path(tmp_path) -> Path:
    return tmp_path / "run.sqlite"


def filled(path: Path) -> None:
    database = RunDatabase(path)
    database.begin(ROWS, [("notes.txt", "no image")])
    database.put(Row("case 3", "ab12", "failed", "größer als 大", 1.5, 2))
    database.close()


def stored(path: Path) -> dict[str, str]:
    """States by name, as another program reads them."""
    with sqlite3.connect(path) as connection:
        return dict(connection.execute("SELECT name, state FROM cases"))


def test_what_was_put_is_there_the_next_time(path):
    filled(path)
    database = RunDatabase(path)
    assert database.before["case 3"] == Row("case 3", "ab12", "failed", "größer als 大", 1.5, 2)
    assert len(database.before) == len(ROWS)
    database.begin([Row("other")], [])
    database.close()
    assert stored(path) == {"other": "waiting"}


def test_others_can_read_while_the_run_goes_on(path):
    database = RunDatabase(path)
    database.begin(ROWS, [])
    for state in STATES:
        database.put(Row("case 0", state=state))
        assert stored(path)["case 0"] == state
    database.close()


def test_a_second_run_is_refused(path, monkeypatch):
    monkeypatch.setattr("metaunetr.batch.run_database.PATIENCE", 0.0)
    first = RunDatabase(path)
    with pytest.raises(OutputError, match="another run is writing to this folder"):
        RunDatabase(path)
    first.close()
    RunDatabase(path).close()


def test_a_database_that_may_not_be_written_stays_where_it_is(path, monkeypatch):
    class ReadOnly(sqlite3.Connection):
        def execute(self, statement, *values):
            if statement.startswith("PRAGMA user_version ="):
                raise sqlite3.OperationalError("attempt to write a readonly database")
            return super().execute(statement, *values)

    filled(path)
    connect = sqlite3.connect
    with monkeypatch.context() as patch:
        patch.setattr(sqlite3, "connect", lambda *args, **kwargs: connect(
            *args, **kwargs, factory=ReadOnly))
        patch.setattr(os, "access", lambda path, mode: False)  # root may write every file
        with pytest.raises(OutputError, match="cannot be written: attempt to write a readonly"):
            RunDatabase(path)
    assert stored(path)["case 3"] == "failed"


@pytest.mark.parametrize("content", [
    b"another program's file", b"SQLite format 3\0" + b"\xff" * 5000,
], ids=["text", "only its first line"])
def test_a_file_that_is_no_database_is_kept_under_another_name(path, content):
    path.write_bytes(content)
    database = RunDatabase(path)
    database.begin(ROWS, [])
    database.close()
    assert "is damaged" in database.warnings[0]
    assert (path.parent / "run damaged.sqlite").read_bytes() == content
    assert len(stored(path)) == len(ROWS)


def test_rows_with_values_of_other_types_are_ignored(path):
    filled(path)
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE cases SET attempts = 'x' WHERE name = 'case 3'")
        connection.execute("UPDATE cases SET seconds = 'long' WHERE name = 'case 4'")
    database = RunDatabase(path)
    database.close()
    assert set(database.before) == {row.name for row in ROWS} - {"case 3", "case 4"}


@pytest.mark.parametrize("statement", ["DROP TABLE left_out", "CREATE TABLE mine (a)"])
def test_tables_of_another_program_are_kept_under_another_name(path, statement):
    filled(path)
    with sqlite3.connect(path) as connection:
        connection.execute(statement)
    database = RunDatabase(path)
    database.close()
    assert (database.before, len(database.warnings)) == ({}, 1)


def test_damage_anywhere_in_the_file_never_stops_a_run(path, long):
    filled(path)
    whole, chance = path.read_bytes(), random.Random(0)
    for _ in range(2000 if long else 20):
        damaged = bytearray(whole)
        for _ in range(chance.choice((1, 1, 8, 200))):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        path.write_bytes(damaged[: chance.choice((len(damaged), chance.randrange(len(damaged))))])
        Path(f"{path}-journal").unlink(missing_ok=True)
        database = RunDatabase(path)
        assert all(isinstance(row.attempts, int) for row in database.before.values())
        database.begin(ROWS, [])
        database.close()
        if not any("cannot be written" in text for text in database.warnings):
            assert stored(path) == dict.fromkeys((row.name for row in ROWS), "waiting")


def test_a_share_that_refuses_fsync_is_written_all_the_same(path, monkeypatch):
    class Refusing(sqlite3.Connection):
        synchronous = True

        def execute(self, statement, *values):
            if "synchronous" in statement:
                self.synchronous = False
            if self.synchronous and statement.startswith(("PRAGMA user", "COMMIT")):
                raise sqlite3.OperationalError("disk I/O error")
            return super().execute(statement, *values)

    connect = sqlite3.connect
    with monkeypatch.context() as patch:
        patch.setattr(sqlite3, "connect", lambda *args, **kwargs: connect(
            *args, **kwargs, factory=Refusing))
        filled(path)
    assert stored(path)["case 3"] == "failed"


def write_forever(path: Path, tell) -> None:
    database = RunDatabase(path)
    tell(f"{len(database.warnings)}\n")
    database.begin(ROWS, [])
    for n in range(10**6):
        name, reason = f"case {n % 20}", "x" * (n * 37 % 5000)
        for state in ("running", "done"):
            database.put(Row(name, state=state, reason=reason, attempts=n))
            tell(f"{name}|{state}|{n}\n")


def killed_writer(path: Path, lines: int, seconds: float) -> list[str]:
    """What a process wrote that was killed this long after so many lines."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        try:
            write_forever(path, lambda line: os.write(writing, line.encode()))
        finally:
            os._exit(1)
    os.close(writing)
    with os.fdopen(reading) as file:
        printed = [file.readline() for _ in range(lines)]
        time.sleep(seconds)
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        assert os.waitstatus_to_exitcode(status) == -signal.SIGKILL
        return [line.strip() for line in (*printed, *file)]


@pytest.mark.skipif(sys.platform == "win32", reason="forks and kills are those of POSIX")
def test_killed_at_any_moment_it_holds_the_last_state_or_the_next(path, long):
    """What `put` has returned from is there; at most one change more."""
    chance = random.Random(1)
    for _ in range(500 if long else 10):
        printed = killed_writer(path, chance.randrange(6), 0.02 * chance.random())
        assert printed[:1] in ([], ["0"])  # nothing was set aside
        last = {name: (state, int(n)) for name, state, n in
                (line.split("|") for line in printed[1:])}
        with sqlite3.connect(path) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            if not last:
                continue
            rows = {name: (state, attempts) for name, state, attempts in connection.execute(
                "SELECT name, state, attempts FROM cases WHERE state != 'waiting'")}
        assert set(last) <= set(rows)
        assert len({name for name in rows if rows[name] != last.get(name)}) <= 1


def test_a_full_disk_is_one_warning_and_the_states_are_stored_later(path):
    database = RunDatabase(path)
    database.begin(ROWS, [])
    pages, = database._connection.execute("PRAGMA page_count").fetchone()
    database._connection.execute(f"PRAGMA max_page_count = {pages}")
    for n in range(3):
        database.put(Row(f"case {n}", state="failed", reason="x" * 9000))
    assert len(database.warnings) == 1
    assert "disk is full" in database.warnings[0]
    database._connection.execute("PRAGMA max_page_count = 1000000")
    database.put(Row("case 9", state="done"))
    database.close()
    failed = [name for name, state in stored(path).items() if state == "failed"]
    assert failed == ["case 0", "case 1", "case 2"]


@pytest.mark.parametrize("make", [
    lambda path: path.mkdir(), lambda path: path.parent.joinpath("missing"),
], ids=["a folder of its name", "no such folder"])
def test_a_place_where_nothing_can_be_written(path, make):
    place = make(path) or path
    with pytest.raises(OutputError, match=r"run\.sqlite: cannot be written"):
        RunDatabase(place / "run.sqlite" if place != path else path)

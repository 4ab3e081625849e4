"""The manifest of a run folder: the state of every case, in an SQLite file.

It may be read at any time, also while the run goes on:

    sqlite3 run.sqlite "SELECT name, reason FROM cases WHERE state = 'failed'"

One process writes. Killed at any moment, it leaves a file that opens, in the state before or
after one change. What it says is for people and tools; whether a case is finished, its record
tells, so that a manifest which is lost or damaged costs nothing but the attempts counted in it.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import astuple, dataclass, fields
from pathlib import Path

from metaunetr.errors import OutputError

WAITING, RUNNING, DONE, FAILED = STATES = ("waiting", "running", "done", "failed")
SCHEMA = (
    "CREATE TABLE cases (name TEXT PRIMARY KEY, id TEXT, state TEXT, reason TEXT, seconds REAL, "
    "attempts INTEGER, made_from TEXT)",
    "CREATE TABLE left_out (path TEXT, reason TEXT)",
)
ELSEWHERE = (  # words of errors that are not the fault of the file
    "locked", "unable to open", "readonly", "disk I/O", "full", "out of memory",
)
PATIENCE = 5.0  # seconds that a change waits for somebody who reads


@dataclass(frozen=True)
class Row:
    """The state of a case.

    Attributes:
        id: tells the series from others without naming the patient.
        reason: why it failed; of a case that is done, what its input lacks.
        seconds: that it took; None before its end.
        attempts: how often it was begun until it came to an end, in this run and those before.
        made_from: JSON of all that decided on the result; "" before there is one.
    """

    name: str
    id: str = ""
    state: str = WAITING
    reason: str = ""
    seconds: float | None = None
    attempts: int = 0
    made_from: str = ""


NAMES = [field.name for field in fields(Row)]
COLUMNS = ", ".join(NAMES)
PUT = (f"INSERT INTO cases ({COLUMNS}) VALUES ({', '.join('?' * len(NAMES))}) ON CONFLICT (name) "
       f"DO UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in NAMES[1:])}")


class Manifest:
    """The open manifest; it is this process's own until it is closed.

    A write transaction is open all the time between two changes: that lets others read and keeps
    a second run out, and the system ends it when the process dies.

    Attributes:
        before: the rows that an earlier run has left, by name.
        warnings: sentences about what went wrong with the file.

    Raises:
        OutputError: the file cannot be written, or another run writes it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.warnings: list[str] = []
        self._pending: dict[str, Row] = {}
        try:
            self._open()
        except (sqlite3.DatabaseError, UnicodeError) as error:
            if any(words in str(error) for words in ELSEWHERE):
                raise self._refusal(error) from None
            self._set_aside(error)
            try:
                self._open()
            except sqlite3.Error as again:
                raise self._refusal(again) from None

    def begin(self, rows: Iterable[Row], left_out: Iterable[tuple[str, str]]) -> None:
        """The cases of a run, and what is left out; those of an earlier run go."""
        rows = list(rows)
        with suppress(sqlite3.Error):  # the rows are pending then
            self._transaction()
            self._connection.execute("DELETE FROM cases")
            self._connection.execute("DELETE FROM left_out")
            self._connection.executemany("INSERT INTO left_out VALUES (?, ?)", left_out)
        self._write({row.name: row for row in rows})

    def put(self, row: Row) -> None:
        """A new state. On a full disk it is kept, and written with the next one."""
        self._write({row.name: row})

    def close(self) -> None:
        if self._pending:
            self._write({})
        self._connection.close()

    def _write(self, rows: dict[str, Row]) -> None:
        self._pending |= rows
        try:
            self._transaction()
            self._connection.executemany(PUT, map(astuple, self._pending.values()))
            self._connection.execute("COMMIT")
            self._pending.clear()
            self._transaction()
        except sqlite3.Error as error:
            if not self.warnings:
                self.warnings.append(f"{self.path}: cannot be written: {error}; states of cases "
                                     "are missing in it until it can")

    def _transaction(self) -> None:
        if not self._connection.in_transaction:  # an error may have ended it
            self._connection.execute("BEGIN IMMEDIATE")

    def _open(self) -> None:
        self._connection = sqlite3.connect(
            self.path, timeout=PATIENCE, isolation_level=None, check_same_thread=False)
        self._connection.text_factory = lambda text: text.decode("utf-8", "replace")
        try:
            self._check()
        except BaseException:
            self._connection.close()
            raise

    def _check(self) -> None:
        """Finds the tables whole, or makes them.

        Raises:
            sqlite3.DatabaseError, UnicodeError: the file is something else, or damaged.
        """
        run = self._connection.execute
        # A killed run loses nothing by this; after a power cut the file may be damaged.
        run("PRAGMA synchronous = OFF")
        run("BEGIN IMMEDIATE")
        if run("SELECT count(*) FROM sqlite_master").fetchone() == (0,):
            for statement in SCHEMA:
                run(statement)
            run("COMMIT")
            run("BEGIN IMMEDIATE")
        tables = [sql for sql, in run("SELECT sql FROM sqlite_master WHERE sql NOT NULL")]
        if tables != list(SCHEMA):
            raise sqlite3.DatabaseError("its tables are those of another version")
        (state,), *_ = run("PRAGMA quick_check").fetchall()
        rows = [Row(*values) for values in run(f"SELECT {COLUMNS} FROM cases")]
        if state != "ok" or not all(map(_is_sound, rows)):
            raise sqlite3.DatabaseError("its pages contradict each other")
        self.before = {row.name: row for row in rows}

    def _set_aside(self, error: Exception) -> None:
        aside = self.path.with_name(f"{self.path.stem} damaged{self.path.suffix}")
        try:
            os.replace(self.path, aside)
        except OSError as failed:
            raise self._refusal(failed) from None
        with suppress(OSError):  # what was half-way when it was killed
            os.replace(f"{self.path}-journal", f"{aside}-journal")
        self.warnings.append(f"{self.path}: the manifest is damaged ({error}); it is kept as "
                             f"{aside.name} and made anew from the records of the cases")

    def _refusal(self, error: Exception) -> OutputError:
        if "locked" in str(error):
            return OutputError(
                f"{self.path}: another run is writing to this folder; wait for its end, or choose "
                "another folder. If there is none, the folder lies on a share that cannot lock "
                "files (mount it with locks, or with nobrl)")
        return OutputError(f"{self.path}: cannot be written: {error}")


def _is_sound(row: Row) -> bool:
    return (
        row.state in STATES and isinstance(row.attempts, int) and row.attempts >= 0
        and isinstance(row.seconds, float | None)
        and all(isinstance(text, str) for text in (row.name, row.id, row.reason, row.made_from))
    )

"""The database of a run folder: the state of every case, in an SQLite file.

It may be read at any time, also while the run goes on:

    sqlite3 run.sqlite "SELECT name, reason FROM cases WHERE state = 'failed'"

One process writes. If it is killed, or the power fails, the file is in the state before or after
one change. The database is for people and tools: whether a case is finished is decided by its
record, so that a lost database costs nothing but the attempts that it counts.
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
FOLDER_ERRORS = (  # words of errors that are due to the folder or the disk, not to this file
    "locked", "unable to open", "disk I/O", "full", "out of memory",
)
PATIENCE = 5.0  # seconds that a change waits for another program to end reading

_open: set[RunDatabase] = set()  # of this process, with their cases


@dataclass(frozen=True)
class Row:
    """The state of a case.

    Attributes:
        id: identifies the DICOM series without naming the patient, see `privacy.series_id`.
        reason: why it failed; of a case that is done, its warnings; of one that is waiting, whether
            it has results of an earlier run.
        seconds: duration; None before its end.
        attempts: how often it was begun until it ended, in this run and those before; runs that
            were cancelled do not count.
        made_from: JSON of all that determines the result; "" before there is one.
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


class RunDatabase:
    """The open database, locked for other processes that would write to it.

    Between two changes a write transaction is open: others can read meanwhile, a second run is
    refused, and the operating system ends the transaction if this process dies.

    Attributes:
        before: the rows of the run before, by name.
        warnings: sentences about what went wrong with the file.

    Raises:
        OutputError: the file cannot be written, or another run writes to it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.warnings: list[str] = []
        self._pending: dict[str, Row] = {}
        try:
            self._open()
        except (sqlite3.DatabaseError, UnicodeError) as error:
            # SQLite says "readonly" also where damage in the file says so
            if (any(words in str(error) for words in FOLDER_ERRORS)
                    or ("readonly" in str(error) and not os.access(self.path, os.W_OK))):
                raise self._refusal(error) from None
            self._rename(error)
            try:
                self._open()
            except sqlite3.Error as again:
                raise self._refusal(again) from None

    def begin(self, rows: Iterable[Row], left_out: Iterable[tuple[str, str]]) -> None:
        """Replace the cases of the run before by those of this run, and what was left out."""
        rows = list(rows)
        with suppress(sqlite3.Error):  # the rows are pending then
            self._transaction()
            self._connection.execute("DELETE FROM cases")
            self._connection.execute("DELETE FROM left_out")
            self._connection.executemany("INSERT INTO left_out VALUES (?, ?)", left_out)
        self._write({row.name: row for row in rows})
        _open.add(self)

    def put(self, row: Row) -> None:
        """Store a row. If the disk is full, it is stored together with the next one."""
        self._write({row.name: row})

    def cancel(self) -> None:
        """Let running cases wait again; any thread may call this before it ends the process."""
        with suppress(sqlite3.Error):  # perhaps no transaction is open, or the disk is full
            self._connection.execute("UPDATE cases SET state = ?, attempts = attempts - 1 "
                                     "WHERE state = ?", (WAITING, RUNNING))
            self._connection.execute("COMMIT")

    def close(self) -> None:
        """Store what is pending, and release the file."""
        _open.discard(self)
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
            self.before = self._read()
        except BaseException:
            self._connection.close()
            raise

    def _read(self) -> dict[str, Row]:
        """The rows by name; makes the tables where there are none.

        Raises:
            sqlite3.DatabaseError, UnicodeError: the file is no database.
        """
        run = self._connection.execute
        try:
            run("PRAGMA user_version = 0")  # writes
        except sqlite3.OperationalError as error:
            if "disk I/O" not in str(error):
                raise
            run("PRAGMA synchronous = OFF")  # a share that refuses fsync
        run("BEGIN IMMEDIATE")
        if run("SELECT count(*) FROM sqlite_master").fetchone() == (0,):
            for statement in SCHEMA:
                run(statement)
            run("COMMIT")
            run("BEGIN IMMEDIATE")
        tables = [sql for sql, in run("SELECT sql FROM sqlite_master WHERE sql NOT NULL")]
        if tables != list(SCHEMA):
            raise sqlite3.DatabaseError("its tables are those of another version")
        rows = run(f"SELECT {COLUMNS} FROM cases WHERE typeof(attempts) = 'integer' "
                   "AND typeof(seconds) IN ('real', 'null')")  # SQLite columns take any type
        return {values[0]: Row(*values) for values in rows}

    def _rename(self, error: Exception) -> None:
        """Make room for a new file where the old one cannot be used."""
        aside = self.path.with_name(f"{self.path.stem} damaged{self.path.suffix}")
        try:
            os.replace(self.path, aside)
        except OSError as failed:
            raise self._refusal(failed) from None
        with suppress(OSError):  # with it, the kept file can be rolled back
            os.replace(f"{self.path}-journal", f"{aside}-journal")
        self.warnings.append(f"{self.path}: the database is damaged ({error}); it is kept as "
                             f"{aside.name} and made anew from the records of the cases")

    def _refusal(self, error: Exception) -> OutputError:
        if "locked" in str(error):
            return OutputError(
                f"{self.path}: another run is writing to this folder; wait for its end, or choose "
                "another folder. If there is none, the folder lies on a share that cannot lock "
                "files (mount it with locks, or with nobrl)")
        return OutputError(f"{self.path}: cannot be written: {error}")


def cancel_running() -> None:
    """Let the running cases of this process wait again, before it is ended.

    Whoever stops a run does not mean the case: it must not count as one that kills runs.
    """
    for database in list(_open):
        database.cancel()

"""Money before it is spent: a call's worst price is held on all its accounts at once, then settled at what it cost.

One SQLite file that all processes of a computer share. A check and an addition apart would let calls at once pass a
ceiling together; here both are one transaction. A process that dies leaves its holds: they count as spent in full when
their lease is over. Amounts are whole micro-dollars, days are UTC, and a day that has begun never ends again: a clock
that is set back gives nothing back. Not here: what a call may cost at worst (`models`).
"""

import datetime as dt
import json
import os
import sqlite3
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from agentobs.errors import AgentobsError
from agentobs.guard.codes import Policy, Refusal, RefusedError
from agentobs.guard.quantities import usd

LEASE_S: Final = 600.0
_BUSY_S: Final = 5.0
_AHEAD: Final = dt.timedelta(days=2)
_KEPT_S: Final = 35 * 86_400.0
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS account (
    name TEXT PRIMARY KEY, spent INTEGER NOT NULL, held INTEGER NOT NULL, used REAL NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS hold (
    id TEXT PRIMARY KEY, accounts TEXT NOT NULL, micro INTEGER NOT NULL, until REAL NOT NULL, settled INTEGER NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS due ON hold (settled, until);
CREATE TABLE IF NOT EXISTS today (day TEXT NOT NULL) STRICT;
"""


class LedgerError(AgentobsError):
    """A ledger that cannot be read or written; the message names the file and the fix."""


@dataclass(frozen=True)
class Account:
    """An account and its ceiling in micro-dollars. `daily` ones begin anew each day."""

    name: str
    ceiling: int | None
    daily: bool = True


@dataclass(frozen=True)
class Balance:
    """How an account stands."""

    name: str
    spent: int
    held: int


class Ledger:
    """The ledger of a file. Raises LedgerError when it cannot be used."""

    def __init__(self, path: Path, clock: Callable[[], float] = time.time) -> None:
        self.path = path
        self._clock = clock
        self._lock = threading.Lock()
        self._database: sqlite3.Connection | None = None
        self._pid = os.getpid()
        with self._transaction():
            pass

    def reserve(self, accounts: list[Account], micro: int) -> str:
        """Hold an amount on every account, or on none; returns what `settle` wants.

        Raises RefusedError naming the account that has no room.
        """
        with self._transaction() as database:
            day = self._day(database)
            self._expire(database)
            names = [f"{one.name} {day}" if one.daily else one.name for one in accounts]
            for account, name in zip(accounts, names, strict=True):
                self._check(database, account, name, micro)
            for name in names:
                database.execute(
                    "INSERT INTO account VALUES (?, 0, ?, ?) "
                    "ON CONFLICT (name) DO UPDATE SET held = held + excluded.held, used = excluded.used",
                    (name, micro, self._clock()),
                )
            hold = uuid.uuid4().hex
            until = self._clock() + LEASE_S
            database.execute("INSERT INTO hold VALUES (?, ?, ?, ?, 0)", (hold, json.dumps(names), micro, until))
            return hold

    def settle(self, hold: str, micro: int) -> None:
        """Turn a hold into what was spent. Of one whose lease is over only what is more than its worst is added."""
        with self._transaction() as database:
            row = database.execute("SELECT accounts, micro, settled FROM hold WHERE id = ?", (hold,)).fetchone()
            if row is None:
                return
            names, held, settled = json.loads(row[0]), row[1], row[2]
            database.execute("DELETE FROM hold WHERE id = ?", (hold,))
            self._move(database, names, 0 if settled else held, max(micro - held, 0) if settled else micro)

    def balances(self) -> list[Balance]:
        """Every account that has been used, by name."""
        with self._transaction() as database:
            self._expire(database)
            return [Balance(*row) for row in database.execute("SELECT name, spent, held FROM account ORDER BY name")]

    def _check(self, database: sqlite3.Connection, account: Account, name: str, micro: int) -> None:
        row = database.execute("SELECT spent, held FROM account WHERE name = ?", (name,)).fetchone() or (0, 0)
        if account.ceiling is None or row[0] + row[1] + micro <= account.ceiling:
            return
        raise RefusedError(
            Refusal(
                Policy.COST,
                f"the ceiling of {account.name} is {usd(account.ceiling)}: {usd(row[0])} are spent, {usd(row[1])} "
                f"held, and this call may cost {usd(micro)}",
                account.name,
                usd(account.ceiling),
            )
        )

    def _expire(self, database: sqlite3.Connection) -> None:
        now = self._clock()
        due = database.execute(
            "SELECT id, accounts, micro FROM hold WHERE settled = 0 AND until < ?", (now,)
        ).fetchall()
        for hold, names, micro in due:
            self._move(database, json.loads(names), micro, micro)
            database.execute("UPDATE hold SET settled = 1 WHERE id = ?", (hold,))
        # Nobody comes back for a call of yesterday.
        database.execute("DELETE FROM hold WHERE settled = 1 AND until < ?", (now - 86_400,))

    @staticmethod
    def _move(database: sqlite3.Connection, names: list[str], held: int, spent: int) -> None:
        for name in names:
            database.execute(
                "UPDATE account SET held = held - ?, spent = spent + ? WHERE name = ?", (held, spent, name)
            )

    def _day(self, database: sqlite3.Connection) -> str:
        today = dt.datetime.fromtimestamp(self._clock(), dt.timezone.utc).date()
        row = database.execute("SELECT day FROM today").fetchone()
        # A clock that once was years ahead must not hold the ledger there.
        if row and today.isoformat() <= row[0] <= (today + _AHEAD).isoformat():
            return str(row[0])
        database.execute("DELETE FROM today")
        database.execute("INSERT INTO today VALUES (?)", (today.isoformat(),))
        # Only as days pass one by one: a clock that leapt would have everything forgotten.
        if row and (today - _AHEAD).isoformat() <= row[0]:
            database.execute("DELETE FROM account WHERE held = 0 AND used < ?", (self._clock() - _KEPT_S,))
        return today.isoformat()

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            try:
                database = self._opened()
                database.execute("BEGIN IMMEDIATE")
                try:
                    yield database
                except BaseException:
                    database.execute("ROLLBACK")
                    raise
                database.execute("COMMIT")
            except (sqlite3.Error, OSError) as error:
                self._close()
                raise LedgerError(
                    f"{self.path}: the ledger cannot be used: {error}; fix: a folder that can be written to, and a "
                    "file that no other program changes"
                ) from None

    def _close(self) -> None:
        if self._database is not None:
            with suppress(sqlite3.Error):
                self._database.close()
            self._database = None

    def _opened(self) -> sqlite3.Connection:
        if self._pid != os.getpid():  # a connection must not be used on both sides of a fork
            self._database, self._pid = None, os.getpid()
        if self._database is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            # One connection for all threads, one at a time by our lock.
            self._database = sqlite3.connect(self.path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False)
            # With WAL, what is committed outlives the process; only a power cut can lose the last moments.
            self._database.execute("PRAGMA journal_mode = WAL")
            self._database.execute("PRAGMA synchronous = NORMAL")
            self._database.executescript(_SCHEMA)
        return self._database

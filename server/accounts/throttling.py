"""How often a login may fail, per account and per address. Both are kept as keyed hashes only."""

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from server.accounts.models import LoginFailure

WINDOW = timedelta(hours=24)
ACCOUNT_TRIES = 5
# A whole centre sits behind one address, so it gets more tries than one account.
ADDRESS_TRIES = 25
FIRST_WAIT_S = 30
LONGEST_WAIT_S = 3600


@dataclass(frozen=True, slots=True)
class Attempt:
    """Who tries to log in and from where, as keyed hashes."""

    account: str
    address: str


def make_attempt(key: str, email: str, address: str) -> Attempt:
    return Attempt(_hash(key, f"account {email}"), _hash(key, f"address {address}"))


def wait_seconds(session: Session, attempt: Attempt, now: datetime) -> int:
    """Seconds until this attempt may be made; 0 when it may be made now.

    The wait doubles with each failure beyond the free ones. An attempt that is refused is no failure, so that it does
    not lengthen the wait of the account's owner for ever.
    """
    by_account = _wait(session, LoginFailure.account == attempt.account, ACCOUNT_TRIES, now)
    by_address = _wait(session, LoginFailure.address == attempt.address, ADDRESS_TRIES, now)
    return max(by_account, by_address)


def add_failure(session: Session, attempt: Attempt, now: datetime) -> None:
    """Count a failed login and forget those that are too old to matter."""
    session.execute(delete(LoginFailure).where(LoginFailure.at < now - WINDOW))
    session.add(LoginFailure(at=now, account=attempt.account, address=attempt.address))
    session.flush()


def forget_failures(session: Session, attempt: Attempt) -> None:
    """Let the account start afresh after a good login; the address does not, or one account would free an attacker."""
    session.execute(delete(LoginFailure).where(LoginFailure.account == attempt.account))


def _wait(session: Session, failures: object, free: int, now: datetime) -> int:
    count, last = session.execute(
        select(func.count(), func.max(LoginFailure.at)).where(failures, LoginFailure.at > now - WINDOW)  # type: ignore[arg-type]
    ).one()
    if count < free:
        return 0
    wait = min(FIRST_WAIT_S * 2 ** min(count - free, 20), LONGEST_WAIT_S)
    return max(0, int((last + timedelta(seconds=wait) - now).total_seconds()) + 1)


def _hash(key: str, value: str) -> str:
    return hmac.new(key.encode(), value.encode(), hashlib.sha256).hexdigest()

"""Why a vote counts for nothing that the chat has not signed as it stands in the ledger."""

from __future__ import annotations

# {}: who agreed.
_NOT_PROVED = {
    "missing": "no press of {} is kept with it that the chat had signed",
    "unsigned": "the press of {} that is kept with it does not bear the chat's signature",
    "account": "the press that is kept with it is not from the account of {}",
    "request": "the press of {} that is kept with it is about something else",
    "terms": "the press of {} that is kept with it agrees to other terms",
    "old": "the press of {} that is kept with it is too old",
}


def vote_not_proved(why: str, who: str) -> str:
    """`why`: of `core.rules.signed_votes`. For the middle of a sentence."""
    return _NOT_PROVED.get(why, _NOT_PROVED["missing"]).format(who)

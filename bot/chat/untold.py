"""Counts answers that nobody got, in whichever chat."""

from __future__ import annotations

from prometheus_client import Counter

UNTOLD = Counter("prodaccess_answers_untold_total", "Answers that reached the person in no way.")

"""GitHub's API, read alone: within seconds, so many questions at most, each once, and no secret to anywhere else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from bot.directory.http_json import NotFetched, fetch_json

TIMEOUT_S = 10.0
BYTES_MAX = 2 * 1024 * 1024
QUESTIONS_MAX = 80
PAGE, PAGES_MAX = 100, 5
VERSION = "2022-11-28"


class GitHubClient:
    """`base`: as `GITHUB_API_URL` has it. Raises NotFetched, which never holds the token."""

    def __init__(self, base: str, repository: str, token: str | None) -> None:
        self._base = f"{base.rstrip('/')}/repos/{repository}"
        self._headers = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": VERSION}
        if token:
            self._headers["Authorization"] = f"Bearer {token}"
        self._answers: dict[str, Any] = {}

    def get(self, path: str) -> Any:
        if path not in self._answers:
            if len(self._answers) >= QUESTIONS_MAX:
                raise NotFetched(f"was asked {QUESTIONS_MAX} questions, and is asked no more")
            self._answers[path] = self._asked(path)
        found = self._answers[path]
        if isinstance(found, NotFetched):
            raise found
        return found

    def object(self, path: str) -> Mapping[str, Any]:
        found = self.get(path)
        if not isinstance(found, Mapping):
            raise NotFetched("answered something else than was asked")
        return found

    def pages(self, path: str, name: str = "") -> Iterator[Mapping[str, Any]]:
        """All of a list, which stands under `name` or is the answer itself. Raises NotFetched where it has no end."""
        mark = "&" if "?" in path else "?"
        for number in range(1, PAGES_MAX + 1):
            found = self.get(f"{path}{mark}per_page={PAGE}&page={number}")
            items = found.get(name) if name and isinstance(found, Mapping) else found
            if not isinstance(items, list):
                raise NotFetched("answered something else than was asked")
            yield from (item for item in items if isinstance(item, Mapping))
            if len(items) < PAGE:
                return
        raise NotFetched("has more of it than is read")

    def _asked(self, path: str) -> Any:
        """What went wrong is remembered, too: nobody is asked twice."""
        try:
            url = f"{self._base}{path}"
            return fetch_json(
                url, self._headers, timeout_s=TIMEOUT_S, bytes_max=BYTES_MAX, called=("github", "get"), redirects=False
            )
        except NotFetched as problem:
            return problem

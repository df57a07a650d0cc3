"""The API of GitHub or GitLab, read alone: within seconds, so many questions at most, each once, no secret to anywhere else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

from bot.directory.http_json import NotFetched, fetch_json

TIMEOUT_S = 10.0
BYTES_MAX = 2 * 1024 * 1024
QUESTIONS_MAX = 80
PAGE, PAGES_MAX = 100, 5
VERSION = "2022-11-28"


class ForgeClient:
    """`base`: the address of one repository, under which all is asked. `system`: as calls are counted. Raises NotFetched, which
    never holds the token.
    """

    # Whether a page may have less than it could, and not be the last one.
    pages_may_be_short = False

    def __init__(self, base: str, headers: Mapping[str, str], token: str | None, system: str) -> None:
        self._base, self._system = base, system
        self._headers = {**headers, **({"Authorization": f"Bearer {token}"} if token else {})}
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
            if not items or (len(items) < PAGE and not self.pages_may_be_short):
                return
        raise NotFetched("has more of it than is read")

    def _asked(self, path: str) -> Any:
        """What went wrong is remembered, too: nobody is asked twice."""
        try:
            return fetch_json(
                f"{self._base}{path}",
                self._headers,
                timeout_s=TIMEOUT_S,
                bytes_max=BYTES_MAX,
                called=(self._system, "get"),
                redirects=False,
            )
        except NotFetched as problem:
            return problem


class GitHubClient(ForgeClient):
    """`base`: as `GITHUB_API_URL` has it."""

    def __init__(self, base: str, repository: str, token: str | None) -> None:
        headers = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": VERSION}
        super().__init__(f"{base.rstrip('/')}/repos/{repository}", headers, token, "github")


class GitLabClient(ForgeClient):
    """`base`: as `GITLAB_API_URL` has it. `project`: its path, or its number."""

    pages_may_be_short = True

    def __init__(self, base: str, project: str, token: str | None) -> None:
        address = f"{base.rstrip('/')}/projects/{quote(project, safe='')}"
        super().__init__(address, {"Accept": "application/json"}, token, "gitlab")

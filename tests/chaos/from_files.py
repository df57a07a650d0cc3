"""An installation whose processes read their secrets from files, as an operator exchanges them while everything runs."""

from __future__ import annotations

from pathlib import Path

from tests.chaos.rig import Rig


class FromFiles(Rig):
    """`HELD`: the variables that files give."""

    HELD: tuple[str, ...] = ()

    def environment(self, process: str) -> dict[str, str]:
        return self._from_files(super().environment(process))

    def _from_files(self, env: dict[str, str]) -> dict[str, str]:
        for name in self.HELD:
            given = env.pop(name)
            if not self.file(name).exists():
                self.hold(name, given)
            env[f"{name}_FILE"] = str(self.file(name))
        return env

    def file(self, name: str) -> Path:
        return self.folder / name.lower()

    def hold(self, name: str, *values: str) -> None:  # type: ignore[override]  # the rig's own holds calls to AWS
        """As an operator does it: a new file is put in the place of the old one."""
        fresh = self.folder / f"{name.lower()}.new"
        fresh.write_text("\n".join(values) + "\n")
        fresh.rename(self.file(name))

    def attention(self) -> str:
        return " ".join(self.ready().get("attention", ()))

    def exposed(self, secrets: set[str]) -> list[str]:
        """Processes in whose log one of these stands."""
        return [each.name for each in self.processes.values() if any(one in each.log.read_text() for one in secrets)]

"""The output repo of a spout in memory: its branches, its commits, and the marker in them."""

import dataclasses
from collections.abc import Mapping, Sequence

from spout_operator.core.errors import Missing
from spout_operator.core.marker import Marker, MarkerFile, MarkerLimits
from spout_operator.core.model import Commit, Heads

OUTPUT, MARKER = "master", "marker"


class MemoryRepo:
    """Commits by id, the files in those of the marker branch, and the head of each branch."""

    def __init__(self) -> None:
        self._commits: dict[str, Commit] = {}
        self._files: dict[str, Mapping[str, bytes]] = {}
        self._branches: dict[str, str] = {}

    @property
    def heads(self) -> Heads:
        """Where the two branches that count stand."""
        return Heads(output=self._branches.get(OUTPUT), marker=self._branches.get(MARKER))

    def head(self, branch: str) -> str | None:
        """The newest commit of a branch."""
        return self._branches.get(branch)

    def append(self, branch: str, commit: Commit, files: Mapping[str, bytes]) -> None:
        """Make a commit the head of a branch."""
        self._commits[commit.id] = commit
        self._files[commit.id] = files
        self._branches[branch] = commit.id

    def change(self, commit: str, **fields: object) -> None:
        """Change fields of a commit."""
        self._commits[commit] = dataclasses.replace(self._commits[commit], **fields)  # type: ignore[arg-type]

    def commit(self, commit: str, *, doing: str) -> Commit:
        """A commit that has to be there."""
        if commit not in self._commits:
            raise Missing(f"could not {doing}", said=f"commit {commit} not found")
        return self._commits[commit]

    def ancestry(self, head: str, *, since: str | None, most: int) -> Sequence[Commit]:
        """See `ports.Pachyderm.commits`."""
        found: list[Commit] = []
        cursor: str | None = head
        while cursor not in {None, since} and len(found) < most:
            found.append(self.commit(cursor or "", doing="list the commits"))
            cursor = found[-1].parent
        return found

    def marker(self, path: str, head: str, limits: MarkerLimits) -> Marker | None:
        """See `ports.Pachyderm.marker`."""
        commit = self.commit(head, doing=f"read the marker {path!r}")
        if commit.finished_at is None:
            return None
        files, top = self._files[head], path.strip("/")
        below = sorted((name for name in files if name.startswith(f"{top}/")), key=lambda name: name.split("/"))
        names, longest = ([top], limits.longest_file) if top in files else (below, limits.longest_listed_file)
        return Marker(
            path=path,
            branch=MARKER,
            is_directory=bool(below),
            files=tuple(_file(name, files[name], longest) for name in names[: limits.most_files]),
            files_total=len(names) if len(names) <= limits.most_counted else None,
            commit=head,
            finished_at=commit.finished_at,
        )


def _file(path: str, content: bytes, longest: int) -> MarkerFile:
    return MarkerFile(path=path, size=len(content), content=content if len(content) <= longest else None)

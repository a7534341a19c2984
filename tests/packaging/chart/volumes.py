"""The volume of a ConfigMap, as the kubelet keeps it in a Pod."""

from collections.abc import Mapping
from pathlib import Path


class ConfigMapVolume:
    """A folder with a file for each key.

    The kubelet never changes a file. It writes a folder of a new version, and renames a link to it: so all files change
    in one step. Each file is a link through that link (Kubernetes, pkg/volume/util/atomic_writer.go).
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._versions = 0
        folder.mkdir()

    def file(self, key: str) -> Path:
        """The path of a key's file in the Pod."""
        return self._folder / key

    def write(self, data: Mapping[str, str]) -> None:
        """Bring new data to the Pod."""
        self._versions += 1
        version = self._folder / f"..version-{self._versions}"
        version.mkdir()
        for key, text in data.items():
            (version / key).write_text(text)
        link = self._folder / "..data_tmp"
        link.symlink_to(version.name)
        link.rename(self._folder / "..data")
        for file in self._folder.iterdir():
            if not file.name.startswith("..") and file.name not in data:
                file.unlink()
        for key in data:
            if not self.file(key).is_symlink():
                self.file(key).symlink_to(Path("..data") / key)

"""The volumes of a Pod as folders, and where its containers see them."""

from collections.abc import Mapping
from pathlib import Path

from spout_testbed.kube_api import Json
from spout_testbed.kubelet.environment import ConfigError, Reader

_ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"


class Volumes:
    """The volumes of one Pod. All of its containers, at every start, see the same ones."""

    def __init__(self, spec: Json, folder: Path) -> None:
        self._spec = {each["name"]: each for each in spec.get("volumes", [])}
        self._folder = folder
        self._paths: dict[str, Path] = {}
        self._account: Path | None = None

    def create(self, read: Reader, account: Mapping[str, bytes]) -> None:
        """Create the folders that do not exist yet.

        Args:
            read: reads a Secret or a ConfigMap.
            account: the files of the Pod's ServiceAccount; empty if it has none.

        Raises:
            ConfigError: a Secret or a ConfigMap is not there; or the test bed does not know this kind of volume.
        """
        for name, volume in self._spec.items():
            if name not in self._paths:
                self._paths[name] = self._create(name, volume, read)
        if account and self._account is None:
            self._account = self._write("account", account)

    def mounts(self, container: Json) -> dict[str, str]:
        """The folder that the container sees at each path."""
        seen = {}
        for mount in container.get("volumeMounts", []):
            path = self._paths[mount["name"]]
            if "subPath" in mount:
                path /= mount["subPath"]
                path.mkdir(parents=True, exist_ok=True)
            seen[str(mount["mountPath"])] = str(path)
        return seen | ({_ACCOUNT: str(self._account)} if self._account else {})

    def _create(self, name: str, volume: Json, read: Reader) -> Path:
        if "hostPath" in volume:
            path = Path(volume["hostPath"]["path"])
            path.mkdir(parents=True, exist_ok=True)
            return path
        if "emptyDir" in volume:
            return self._write(name, {})
        for kind, key in (("secret", "secretName"), ("configMap", "name")):
            if source := volume.get(kind):
                return self._write(name, _chosen(kind.lower(), str(source[key]), source, read))
        kinds = ", ".join(sorted(set(volume) - {"name"}))
        raise ConfigError(f"volume {name!r} is of a kind that the test bed does not know: {kinds}")

    def _write(self, name: str, entries: Mapping[str, bytes]) -> Path:
        path = self._folder / name
        path.mkdir(parents=True)
        for entry, content in entries.items():
            (path / entry).parent.mkdir(parents=True, exist_ok=True)
            (path / entry).write_bytes(content)
        return path


def _chosen(kind: str, name: str, source: Json, read: Reader) -> Mapping[str, bytes]:
    """The entries of a Secret or ConfigMap, by the names of their files."""
    try:
        entries = read(kind, name)
    except ConfigError:
        if source.get("optional"):
            return {}
        raise
    if "items" not in source:
        return entries
    if absent := [item["key"] for item in source["items"] if item["key"] not in entries]:
        raise ConfigError(f"couldn't find key {', '.join(absent)} in {kind} {name}")
    return {item["path"]: entries[item["key"]] for item in source["items"]}

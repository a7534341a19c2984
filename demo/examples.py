"""The example that the demo runs on each version of Pachyderm, and how to read what it has written."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from pachyderm_sdk import Client as Client2
from pachyderm_sdk.api import pfs

from demo import kafka
from spout_operator.pachyderm.v1.sdk import Client as Client1
from spout_testbed.harness.cluster import ROOT


@dataclass(frozen=True, kw_only=True)
class Example:
    """A spout that copies the topic into Pachyderm."""

    version: str
    """The version of Pachyderm, as the test bed names it."""
    spout: str
    manifest: Path
    program: Path
    keeps_marker: bool
    """Whether Pachyderm keeps the position as a marker. Otherwise the Kafka consumer group has it."""
    read_files: Callable[[str, str], Iterator[str]]
    """The content of every file on the output branch, by the address of pachd and the name of the pipeline."""

    @property
    def position(self) -> str:
        """What the position is called."""
        return "marker" if self.keeps_marker else "position in Kafka"

    @property
    def group(self) -> str:
        """The consumer group that the program of examples/kafka-native uses."""
        return f"pachyderm.default.{self.spout}"


def _files_1(address: str, repo: str) -> Iterator[str]:
    client = Client1.new_from_pachd_address(address)
    for info in client.walk_file((repo, "master"), "/"):
        if info.size_bytes and not info.children and info.file_type == 1:
            yield b"".join(client.get_file((repo, "master"), info.file.path)).decode()


def _files_2(address: str, repo: str) -> Iterator[str]:
    client = Client2.from_pachd_address(address)
    folder = pfs.File(commit=pfs.Commit.from_uri(f"{repo}@master"), path=f"/{kafka.TOPIC}")
    with client.pfs.pfs_tar_file(folder) as archive:
        for entry in archive:
            if (opened := archive.extractfile(entry)) is not None:
                yield opened.read().decode()


EXAMPLES = {
    example.version: example
    for example in (
        Example(
            version="1.13",
            spout="my-spout",
            manifest=ROOT / "examples" / "my-spout.yaml",
            program=ROOT / "examples" / "kafka" / "spout.py",
            keeps_marker=True,
            read_files=_files_1,
        ),
        Example(
            version="2.12",
            spout="kafka",
            manifest=ROOT / "examples" / "kafka-native" / "spout.yaml",
            program=ROOT / "examples" / "kafka-native" / "spout.py",
            keeps_marker=False,
            read_files=_files_2,
        ),
    )
}

"""The manifests of one run, of which no two may have the same name."""

from spout_operator.core.model import PipelineName
from spout_operator.importing.candidate import Candidate
from spout_operator.importing.errors import NotImportedError, UnfitError
from spout_operator.importing.manifests import Manifest, manifest_of


class Collection:
    """Remembers which pipelines there were, and where."""

    def __init__(self) -> None:
        self._pipelines: dict[PipelineName, str] = {}
        self._manifests: dict[str, tuple[PipelineName, str]] = {}

    def add(self, where: str, found: Candidate | NotImportedError) -> Manifest:
        """The manifest of what a source yielded; `where` is where that was.

        Raises:
            NotImportedError: what the source yielded, or there is no manifest of this pipeline.
        """
        if isinstance(found, NotImportedError):
            raise found
        if found.name in self._pipelines:
            first = self._pipelines[found.name]
            raise UnfitError(found.name, f"is there twice, first in {first}; remove one of them")
        self._pipelines[found.name] = where
        manifest = manifest_of(found)
        if manifest.name in self._manifests:
            other, before = self._manifests[manifest.name]
            raise UnfitError(
                found.name,
                f"would become a Spout of the name {manifest.name!r}, as the pipeline {other!r} does in {before}; "
                "import one of them alone, and give its Spout another name",
            )
        self._manifests[manifest.name] = (found.name, where)
        return manifest

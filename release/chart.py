"""The chart as it is published: its values name the image of its release, which those in the tree cannot know.

    python -m release.chart IMAGE FOLDER

IMAGE is `REGISTRY/REPOSITORY`; FOLDER is made. It needs nothing but Python: the job that publishes installs nothing.
"""

import re
import shutil
import sys
from pathlib import Path

CHART = Path(__file__).parents[1] / "charts" / "spout-operator"
_IN_THE_TREE = 'image:\n  registry: ""\n  repository: spout-operator\n'


def published(chart: Path, image: str, folder: Path) -> None:
    """Make a copy of the chart that pulls `image`.

    Raises:
        ValueError: the chart's values do not name the image where it is expected.
    """
    registry, _, repository = image.partition("/")
    shutil.copytree(chart, folder)
    values = folder / "values.yaml"
    text = values.read_text(encoding="utf-8")
    if text.count(_IN_THE_TREE) != 1:
        raise ValueError(f"{chart / 'values.yaml'} has no lines {_IN_THE_TREE!r}: change them in release/chart.py too")
    # As text, so that comments stay.
    new = f"image:\n  registry: {registry}\n  repository: {repository}\n"
    values.write_text(text.replace(_IN_THE_TREE, new), encoding="utf-8")
    readme = folder / "README.md"
    said = readme.read_text(encoding="utf-8")
    for name, value in (("registry", registry), ("repository", repository)):
        said = re.sub(rf'^(\| `image.{name}` \|) `".*"` \|', rf'\1 `"{value}"` |', said, flags=re.MULTILINE)
    readme.write_text(said, encoding="utf-8")


if __name__ == "__main__":
    published(CHART, sys.argv[1], Path(sys.argv[2]))

"""The published chart pulls the image that was published with it."""

import shutil
from pathlib import Path

import pytest
import yaml

from release.chart import CHART, published
from spout_testbed.programs import run
from tests.packaging.chart.charts import HELMS, Helm, of_kind

IMAGE = "ghcr.io/acme/spout-operator"


@pytest.mark.parametrize("helm", HELMS)
def test_the_packaged_chart_pulls_the_published_image(tmp_path: Path, helm: Helm) -> None:
    published(CHART, IMAGE, tmp_path / "build" / "chart")
    done = run(helm, "package", str(tmp_path / "build" / "chart"), "--destination", str(tmp_path))
    assert done.returncode == 0, done.stderr
    (archive,) = tmp_path.glob("spout-operator-*.tgz")

    done = run(helm, "template", "spouts", str(archive))

    assert done.returncode == 0, done.stderr
    manifests = list(yaml.safe_load_all(done.stdout))
    version = yaml.safe_load((CHART / "Chart.yaml").read_text())["appVersion"]
    (deployment,) = of_kind(manifests, "Deployment")
    (test,) = of_kind(manifests, "Pod")
    containers = [*deployment["spec"]["template"]["spec"]["containers"], *test["spec"]["containers"]]
    assert {container["image"] for container in containers} == {f"{IMAGE}:{version}"}


def test_the_published_chart_changes_no_value_but_the_image(tmp_path: Path) -> None:
    published(CHART, IMAGE, tmp_path / "chart")
    before, after = (yaml.safe_load((chart / "values.yaml").read_text()) for chart in (CHART, tmp_path / "chart"))
    before["image"] |= {"registry": "ghcr.io", "repository": "acme/spout-operator"}
    assert after == before
    readme = (tmp_path / "chart" / "README.md").read_text()
    assert '| `image.registry` | `"ghcr.io"` |' in readme
    assert '| `image.repository` | `"acme/spout-operator"` |' in readme


def test_a_chart_that_names_its_image_elsewhere_is_refused(tmp_path: Path) -> None:
    chart = Path(shutil.copytree(CHART, tmp_path / "tree"))
    values = chart / "values.yaml"
    values.write_text(values.read_text().replace("  repository: spout-operator", "  name: spout-operator"))
    with pytest.raises(ValueError, match=r"change them in release/chart\.py too"):
        published(chart, IMAGE, tmp_path / "chart")

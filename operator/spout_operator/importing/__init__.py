"""From what people have, pipeline specs and live pipelines, to manifests of Spouts."""

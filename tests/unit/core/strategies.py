"""The space of what a Spout can ask for."""

from hypothesis import strategies as st

from spout_operator.core import model
from spout_operator.core.spec.quantity import Quantity, cores

words = st.text("abcxyz019-_./", max_size=6)
names = st.text("abcxyz", min_size=1, max_size=4)
maps = st.dictionaries(names, words, max_size=3)
cpus = st.integers(1, 64_000).map(lambda number: cores(f"{number}m"))
sizes = st.builds(
    lambda number, suffix: Quantity.parse(f"{number}{suffix}"),
    st.integers(1, 2048),
    st.sampled_from(["", "k", "M", "G", "Ki", "Mi", "Gi"]),
)

secrets = st.builds(model.SecretMount, name=names, key=words, env_var=words, mount_path=words)
transforms = st.builds(
    model.Transform,
    image=names,
    cmd=st.lists(words, max_size=3).map(tuple),
    stdin=st.lists(words, max_size=2).map(tuple),
    env=maps,
    secrets=st.lists(secrets, max_size=2).map(tuple),
    image_pull_secrets=st.lists(names, max_size=2).map(tuple),
    working_dir=words,
    user=words,
)
services = st.builds(
    model.Service,
    internal_port=st.integers(1, 3),
    external_port=st.integers(0, 3),
    type=st.sampled_from(["ClusterIP", "NodePort", "LoadBalancer"]),
)
options = st.builds(model.SpoutOptions, overwrite=st.booleans(), marker=words, service=st.none() | services)
gpus = st.builds(model.Gpu, type=names, number=st.integers(1, 3))
resources = st.builds(
    model.Resources,
    cpu=st.none() | cpus,
    memory=st.none() | sizes,
    disk=st.none() | sizes,
    gpu=st.none() | gpus,
)
schedulings = st.builds(model.Scheduling, node_selector=maps, priority_class_name=words)

#: Whole pipeline specs. Small alphabets, so that two of them are often equal in a field.
specs = st.builds(
    model.PipelineSpec,
    transform=transforms,
    description=words,
    spout=options,
    resource_requests=resources,
    resource_limits=resources,
    scheduling_spec=schedulings,
    pod_patch=st.sampled_from(["", "[]", '[{"op":"remove"}]']),
    restart_nonce=words,
)

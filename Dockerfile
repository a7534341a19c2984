# The exact tag pins each base image. The tag tells the version, and an update to a patch release changes one line.
# ---- build: installs only the locked packages, and checks their hashes ------------------------------------------
FROM python:3.13.12-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1
WORKDIR /src

# The dependencies change less often than the code, so they have their own layer. Only python-pachyderm has no wheel. This
# stage builds it with the locked setuptools, not with the version that build isolation would fetch.
COPY requirements.txt requirements-build.txt ./
RUN python -m venv /opt/build && \
    /opt/build/bin/pip install --require-hashes --only-binary :all: --requirement requirements-build.txt && \
    /opt/build/bin/pip wheel --require-hashes --only-binary :all: --no-binary python-pachyderm \
      --no-build-isolation --wheel-dir /opt/build/wheels --requirement requirements.txt && \
    python -m venv --without-pip /opt/spout-operator && \
    python -m pip --python /opt/spout-operator/bin/python install --no-deps --no-index /opt/build/wheels/*.whl

COPY pyproject.toml README.md LICENSE ./
COPY operator operator
# operator/spout_operator/kubernetes/crd.yaml is a link to a file in this folder.
COPY crds crds
RUN /opt/build/bin/python -m hatchling build --target wheel --directory dist && \
    python -m pip --python /opt/spout-operator/bin/python install --no-deps --no-index dist/*.whl

# ---- final: the interpreter and the environment from above, without pip ------------------------------------------
FROM python:3.13.12-slim-bookworm
ARG VERSION=0.1.0
LABEL org.opencontainers.image.title="spout-operator" \
      org.opencontainers.image.description="Runs Pachyderm spout pipelines from Spout resources" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.base.name="python:3.13.12-slim-bookworm"
RUN python -m pip uninstall --yes --quiet pip && \
    rm -r /usr/local/lib/python3.13/ensurepip
COPY --from=build /opt/spout-operator /opt/spout-operator
# The root file system can be read-only, because the operator writes nothing there, not even bytecode. If the threshold is
# set (here to its default), glibc returns large blocks to the system. Otherwise the heap of each thread keeps the size of
# the longest list that the thread ever read: 6 MiB in total for 1,000 Spouts. All threads share one heap, because the
# heaps of threads that wait hold 3 MiB that nothing uses.
ENV PATH=/opt/spout-operator/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    MALLOC_MMAP_THRESHOLD_=131072 \
    MALLOC_ARENA_MAX=1
WORKDIR /
USER 65532:65532
ENTRYPOINT ["spout-operator"]
CMD ["run"]

# The serving image: Python, the base install and the shipped models. No compiler, no pip in the environment, no torch.

# The default is a tag, which may move. A release names the image by digest:
#   docker build --build-arg BASE_IMAGE=python:3.11-slim@sha256:DIGEST .
ARG BASE_IMAGE=python:3.11-slim

FROM ${BASE_IMAGE} AS builder
WORKDIR /src
RUN python -m venv --without-pip /opt/venv && python -m venv --without-pip /opt/build
# Dependencies in a layer of their own: a change of the source does not download them again. Wheels only: building a
# source distribution would download tools that have no hash here.
COPY requirements/ requirements/
RUN pip --python /opt/venv/bin/python install --no-cache-dir --only-binary :all: --require-hashes --requirement requirements/serve.txt \
 && pip --python /opt/build/bin/python install --no-cache-dir --only-binary :all: --require-hashes --requirement requirements/build.txt
COPY pyproject.toml setup.py README.md LICENSE NOTICE ./
COPY seqserve/ seqserve/
COPY service/ service/
RUN pip --python /opt/build/bin/python wheel --no-cache-dir --no-build-isolation --no-deps --wheel-dir /wheels . \
 && pip --python /opt/venv/bin/python install --no-cache-dir --no-index --no-deps /wheels/*.whl

FROM ${BASE_IMAGE}
# The number, not the name, in USER: Kubernetes' runAsNonRoot can check only a number.
RUN groupadd --gid 10001 seqserve && useradd --uid 10001 --gid 10001 --no-create-home --shell /usr/sbin/nologin seqserve
COPY --from=builder /opt/venv /opt/venv
WORKDIR /app
COPY models/ models/
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    SEQSERVE_HOST=0.0.0.0 \
    SEQSERVE_PORT=8000 \
    SEQSERVE_MODELS=/app/models
USER 10001:10001
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s --retries=3 \
  CMD ["/opt/venv/bin/python", "-c", "import os, urllib.request; urllib.request.urlopen('http://127.0.0.1:' + os.environ['SEQSERVE_PORT'] + '/healthz', timeout=2)"]
# Exec form: the server is the container's first process and gets SIGTERM itself.
ENTRYPOINT ["/opt/venv/bin/seqserve"]
CMD ["serve"]

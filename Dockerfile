# Mage as a standalone server. Mount the configuration at /etc/mage/storages.json, or at /app/storages.json; keep caches in
# /var/cache/mage:
#
#   docker build -t mage .
#   docker run --stop-timeout 45 -p 8080:8080 -v "$PWD/storages.json":/etc/mage/storages.json:ro \
#       -v mage-cache:/var/cache/mage mage
#
# The server takes up to 40 s to stop. By default, Docker waits only ten.

FROM python:3.12-slim AS builder
RUN apt-get update \
    && apt-get install --yes --no-install-recommends gcc libc6-dev \
    && rm -rf /var/lib/apt/lists/*
COPY requirements.txt /build/
COPY thumbs/conf/installation.py /build/
# gunicorn_h1c, Gunicorn's HTTP parser in C, is the one package that needs the compiler.
RUN pip wheel --no-cache-dir --wheel-dir /build/wheels -r /build/requirements.txt "gunicorn_h1c>=0.6.8"
# A virtual environment, because it is copied to the final image in one layer, without wheels and pip.
RUN python -m venv --without-pip /opt/mage \
    && pip --python /opt/mage/bin/python install --no-cache-dir --no-index --find-links /build/wheels \
        -r /build/requirements.txt gunicorn_h1c
# pyvips may have replaced a file of pyvips-binary: then install that again, or fail.
RUN PIP_NO_INDEX=1 PIP_FIND_LINKS=/build/wheels /opt/mage/bin/python -I /build/installation.py --repair

FROM python:3.12-slim
RUN apt-get update \
    && apt-get install --yes --no-install-recommends libjemalloc2 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --home-dir /nonexistent --shell /usr/sbin/nologin mage \
    && install -d -o mage -g mage /var/cache/mage \
    && install -d /etc/mage
COPY --from=builder /opt/mage /opt/mage
WORKDIR /app
COPY manage.py gunicorn.conf.py ./
COPY thumbs ./thumbs
COPY mage_project ./mage_project
RUN /opt/mage/bin/python -m compileall -q . \
    && /opt/mage/bin/python -m thumbs.conf.installation

# LD_PRELOAD without a directory: the dynamic linker finds the library for every architecture.
ENV PATH=/opt/mage/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    LD_PRELOAD=libjemalloc.so.2 \
    STORAGES_CONFIG_SEARCH=/etc/mage/storages.json \
    PORT=8080
USER mage
VOLUME /var/cache/mage
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=15s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as r; r.urlopen(f'http://127.0.0.1:{os.environ[\"PORT\"]}/health', timeout=3)"]
CMD ["python", "manage.py", "run_thumb_server"]

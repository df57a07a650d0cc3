# prodaccess as an image: `docker build -t prodaccess .`, then one container for each process. See docs/install.md.
#
# The base is Debian's own slim image with Debian's Python: the version that the tests run on, security updates from Debian
# until June 2028, and deploy/container/replay.py can build the same root from Debian's packages where there is no engine.
# It is named by its tag, so that a build today has today's updates. For a build that is the same tomorrow, name a digest:
#   docker build --build-arg BASE=debian:bookworm-slim@sha256:... .
ARG BASE=debian:bookworm-slim

# ---------------------------------------------------------------- built here, and left behind: pip, setuptools, the sources
FROM ${BASE} AS build
# hadolint ignore=DL3008 # whatever Debian has today: a version that is pinned is gone when its update comes
RUN apt-get update \
    && apt-get install --yes --no-install-recommends python3 python3-venv \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY requirements.lock ./
# Every file with its hash. Compilers are not needed: each of them is a wheel.
RUN python3 -m venv /app \
    && /app/bin/pip install --no-cache-dir --disable-pip-version-check --only-binary :all: --require-hashes -r requirements.lock
COPY . .
RUN /app/bin/pip install --no-cache-dir --disable-pip-version-check --no-deps --no-build-isolation . \
    && /app/bin/pip uninstall --yes setuptools pip

# ---------------------------------------------------------------- what runs
FROM ${BASE}
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get upgrade --yes \
    && apt-get install --yes --no-install-recommends ca-certificates python3 \
    && rm -rf /var/lib/apt/lists/* \
    && groupadd --gid 10001 prodaccess \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin prodaccess \
    && install -d /etc/prodaccess/config \
    && install -d -o 10001 -g 10001 -m 0700 /var/lib/prodaccess
COPY --from=build /app /app
ENV PATH=/app/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    PRODACCESS_CONFIG=/etc/prodaccess/config \
    PRODACCESS_DATA=/var/lib/prodaccess \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONSAFEPATH=1 \
    PYTHONUNBUFFERED=1
ARG REVISION=""
LABEL org.opencontainers.image.title="prodaccess" \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.description="Temporary production access, asked for and approved in chat, that ends by itself." \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.revision="${REVISION}"
WORKDIR /app
# A number, so that `runAsNonRoot` of Kubernetes can see that it is not root.
USER 10001:10001
# Where web listens; in Socket Mode only probes and Prometheus ask there.
EXPOSE 3000
# No tini: each process handles SIGTERM itself and is gone within ten seconds as number 1, too, and none but `up` starts
# others, which waits for them. tests/deploy/test_image.py looks.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=10s --start-period=30s --retries=3 CMD ["prodaccess", "health"]
ENTRYPOINT ["prodaccess"]
CMD ["--help"]

# One file for every image: `--build-arg SERVICE=ingest|router|executor|auditor|console|cli|
# paper-exchange`. docs/images.md tells how they are built, with a registry and without.

# 3.13.15 on Debian trixie. The digest is what counts; raise both together.
ARG BASE_IMAGE=python:3.13-slim@sha256:7c61056e61ac89e852de05f3dc6fa51a6dd2181797bceed46aa725dd7cb2cd3b
ARG SERVICE

# What is installed and copied. pip stays behind in this stage.
FROM ${BASE_IMAGE} AS build
ARG SERVICE
# A folder of the context with the locked wheels, where no index can be reached.
ARG WHEELS=""
ENV PYTHONDONTWRITEBYTECODE=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_ROOT_USER_ACTION=ignore
COPY . /src
WORKDIR /src
RUN python3 -m venv /pip \
    && python3 -m venv --without-pip /opt/alertwire \
    && /pip/bin/pip --python /opt/alertwire/bin/python install --quiet --no-compile --no-deps \
        --only-binary :all: --require-hashes ${WHEELS:+--no-index --find-links "/src/$WHEELS"} \
        --requirement "requirements/$SERVICE.txt" \
    && python3 -m tools.images.contents "$SERVICE" /opt/alertwire/app \
    && install -D -m 644 LICENSE /opt/alertwire/LICENSE \
    # Checked against no clock, so that the same sources give the same bytes.
    && python3 -m compileall -q -j 0 --invalidation-mode unchecked-hash \
        /opt/alertwire/lib /opt/alertwire/app

# What the base brings and a process needs not: package managers, a shell, whatever raises rights.
FROM ${BASE_IMAGE} AS bare
RUN echo 'alertwire:x:10001:10001::/nonexistent:/usr/sbin/nologin' >> /etc/passwd \
    && echo 'alertwire:x:10001:' >> /etc/group \
    && find / -xdev -type f -perm /6000 -exec chmod ug-s {} + \
    && rm -rf /usr/local/lib/python3*/site-packages/* /usr/local/bin/pip* \
        /usr/lib/python3*/ensurepip /usr/local/lib/python3*/ensurepip /usr/share/python-wheels \
        /usr/bin/apt* /usr/lib/apt /var/lib/apt /var/cache /etc/apt \
        /usr/bin/dpkg* /usr/sbin/dpkg* /var/lib/dpkg/info /usr/bin/perl* /usr/lib/*/perl-base \
        /usr/share/doc /usr/share/man /usr/share/locale /var/log/* /root \
    && mkdir -p /root /var/cache \
    && rm -f /usr/bin/bash /usr/bin/rbash /usr/bin/dash /usr/bin/sh

# In one layer, the same of every image: what was removed is not underneath.
FROM scratch AS runtime
COPY --from=bare / /
ENV PATH=/opt/alertwire/bin:/usr/local/bin:/usr/bin:/bin \
    LANG=C.UTF-8 \
    PYTHONPATH=/opt/alertwire/app \
    PYTHONSAFEPATH=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
COPY --from=build /opt/alertwire /opt/alertwire
WORKDIR /opt/alertwire/app
USER 10001:10001
STOPSIGNAL SIGTERM

FROM runtime AS ingest
ENTRYPOINT ["python", "-m", "services.ingest"]
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s CMD ["python", "-m", "libs.common.probing"]
EXPOSE 8080 9090

FROM runtime AS router
ENTRYPOINT ["python", "-m", "services.router"]
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s CMD ["python", "-m", "libs.common.probing"]
EXPOSE 9090

FROM runtime AS executor
ENTRYPOINT ["python", "-m", "services.executor"]
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s CMD ["python", "-m", "libs.common.probing"]
EXPOSE 9090

FROM runtime AS auditor
ENTRYPOINT ["python", "-m", "services.auditor"]
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s CMD ["python", "-m", "libs.common.probing"]
EXPOSE 9090

FROM runtime AS console
ENTRYPOINT ["python", "-m", "services.console"]
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s CMD ["python", "-m", "libs.common.probing"]
EXPOSE 8080 9090

FROM runtime AS paper-exchange
ENTRYPOINT ["python", "-m", "tools.paper_exchange"]
HEALTHCHECK NONE
EXPOSE 8080

FROM runtime AS cli
ENTRYPOINT ["python", "-m", "tools.cli"]
CMD ["--help"]
HEALTHCHECK NONE

FROM ${SERVICE}
ARG SERVICE
ARG BASE_IMAGE
ARG VERSION=""
ARG REVISION=""
ARG SOURCE=""
LABEL org.opencontainers.image.title="alertwire-${SERVICE}" \
      org.opencontainers.image.description="Alertwire: carries a TradingView alert to MEXC Futures" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.source="${SOURCE}" \
      org.opencontainers.image.base.name="${BASE_IMAGE}"

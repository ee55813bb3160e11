# One file for every image: `--build-arg SERVICE=ingest|router|executor|auditor|console|cli|
# paper-exchange`. docs/images.md tells how they are built, with a registry and without.

# 3.13.15 on Debian trixie. The digest is what counts; raise both together.
ARG BASE_IMAGE=python:3.13-slim@sha256:7c61056e61ac89e852de05f3dc6fa51a6dd2181797bceed46aa725dd7cb2cd3b
ARG SERVICE

# What is installed and copied. pip stays behind in this stage.
FROM ${BASE_IMAGE} AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
RUN python3 -m venv /pip && python3 -m venv --without-pip /opt/alertwire
COPY . /src
WORKDIR /src
ARG SERVICE
# A folder of the context with the locked wheels, where no index can be reached.
ARG WHEELS=""
RUN /pip/bin/pip --python /opt/alertwire/bin/python install --quiet --no-compile --no-deps \
        --only-binary :all: --require-hashes ${WHEELS:+--no-index --find-links "/src/$WHEELS"} \
        --requirement "requirements/$SERVICE.txt" \
    && python3 -m tools.images.contents "$SERVICE" /opt/alertwire/app \
    && install -m 644 LICENSE /opt/alertwire/LICENSE \
    # Commands that packages bring along, and that nothing here calls.
    && find /opt/alertwire/bin ! -type d ! -name 'python*' ! -name dbmate -delete \
    # Beforehand, since the root is read-only; and checked against no clock, so that the same
    # sources give the same bytes.
    && python3 -m compileall -q -j 0 --invalidation-mode unchecked-hash \
        /opt/alertwire/lib /opt/alertwire/app

# Of what the base brings Python alone can be run: no shell, no package manager, nothing that raises
# rights. The packages' names stay, for whoever looks for known holes.
FROM ${BASE_IMAGE} AS bare
# Some bases ship Python's own library uncompiled.
RUN python3 -m compileall -q -j 0 --invalidation-mode unchecked-hash \
        "$(python3 -c 'import sysconfig; print(sysconfig.get_path("stdlib"))')"
RUN echo 'alertwire:x:10001:10001::/nonexistent:/usr/sbin/nologin' >> /etc/passwd \
    && echo 'alertwire:x:10001:' >> /etc/group \
    && rm -rf /usr/local/lib/python3*/site-packages/* /usr/local/lib/python3*/ensurepip \
        /usr/lib/python3*/ensurepip /usr/share/python-wheels \
        /usr/lib/apt /var/lib/apt /etc/apt /var/lib/dpkg/info /usr/lib/*/perl-base \
        /usr/share/doc /usr/share/man /usr/share/locale /var/cache/* /var/log/* \
    && find / -xdev -type f -perm /6000 -exec chmod ug-s {} + \
    && find /usr/bin /usr/sbin /usr/local/bin /usr/local/sbin \
        ! -type d ! -name 'python3*' ! -name python -delete

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

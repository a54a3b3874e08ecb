# The package on a small Debian: docs/howto/install.md says how to use it.
FROM debian:12 AS build
WORKDIR /assay
# What is downloaded stands in layers of its own, which a change of the sources keeps.
COPY tools/setup.sh tools/steps.sh tools/
COPY engine/package.json engine/package-lock.json engine/.npmrc engine/
RUN tools/setup.sh package
COPY . .
ARG SOURCE_DATE_EPOCH
RUN ./package --fast && mkdir /package && tar -xf build/package/assay-*.tar.xz -C /package --strip-components=1

FROM debian:12-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --create-home assay \
    && install -d -o assay -g assay /data \
    && ln -s /opt/assay/assay /usr/local/bin/assay
COPY --from=build /package /opt/assay
ENV ASSAY_DATA_DIR=/data XDG_CACHE_HOME=/data/cache XDG_CONFIG_HOME=/data/config
USER assay
WORKDIR /data
VOLUME /data
ENTRYPOINT ["assay"]
CMD ["run"]

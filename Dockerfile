# syntax=docker/dockerfile:1
# One image for all four services: `rapport serve customer`, or all of them in one process with `rapport serve`.

FROM rust:1.95-slim-bookworm AS build
WORKDIR /source
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry --mount=type=cache,target=/source/target \
    cargo build --release --locked --bin rapport && cp target/release/rapport /rapport

FROM debian:bookworm-slim
RUN useradd --system --uid 10001 --home-dir /var/lib/rapport --create-home rapport
COPY --from=build /rapport /usr/local/bin/rapport
USER rapport
WORKDIR /var/lib/rapport
# SQLite files and the mail folder; unused when the databases are on PostgreSQL and mail goes by SMTP.
ENV RAPPORT__DATA__DIRECTORY=/var/lib/rapport
VOLUME /var/lib/rapport
# gRPC of customer, interaction, feedback and newsletter; the pages of feedback and newsletter.
EXPOSE 50051 50052 50053 50054 8083 8084
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=3 CMD ["rapport", "healthcheck"]
ENTRYPOINT ["rapport"]
CMD ["serve"]

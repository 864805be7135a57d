# A small image that runs as nobody: docker run --rm -v "$PWD:/work:ro" sallyport scan
FROM node:24-alpine AS build
WORKDIR /build
COPY . .
RUN npm ci --ignore-scripts --no-audit --no-fund && node tools/build.ts

FROM node:24-alpine
# The program needs no package manager to run, and no packages.
RUN rm -rf /usr/local/lib/node_modules /usr/local/bin/npm /usr/local/bin/npx /usr/local/bin/corepack /opt/yarn*
COPY --from=build /build/dist/cli.cjs /opt/sallyport/cli.cjs
COPY --from=build /build/dist/cli /opt/sallyport/cli
USER 65532:65532
WORKDIR /work
ENTRYPOINT ["node", "/opt/sallyport/cli.cjs"]
CMD ["scan"]

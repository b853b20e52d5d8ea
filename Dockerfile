# The package as users install it, on Node alone. docs/serving.md explains how to run it.

FROM node:24-bookworm-slim AS build
WORKDIR /source
COPY package.json package-lock.json ./
# No scripts: they fetch a Node, which the image has, and build the page, whose source comes next.
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY . .
RUN mkdir /packed && npm pack --pack-destination /packed \
  && npm install --prefix /app --omit=dev --ignore-scripts --no-audit --no-fund /packed/lincir-*.tgz
# ONNX Runtime finds CUDA's provider by these, if you mount it (docs/gpu.md).
RUN for part in shared cuda; do ln -s /cache/lincir/cuda/onnxruntime/capi/libonnxruntime_providers_$part.so \
  /app/node_modules/lincir/dist/onnxruntime/*/; done

FROM node:24-bookworm-slim
LABEL org.opencontainers.image.title="lincir" \
  org.opencontainers.image.description="Composed image retrieval: finds images with an image and a few words." \
  org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /app /app
COPY container/health.mjs /app/health.mjs
# Nothing but these folders and /tmp is written.
RUN ln -s /app/node_modules/.bin/lincir /usr/local/bin/lincir \
  && install -d -o 1000 -g 1000 /index /cache /photos
ENV NODE_ENV=production HF_HOME=/cache/huggingface LINCIR_CACHE=/cache/lincir HOME=/tmp
USER 1000:1000
WORKDIR /index
EXPOSE 5462
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s --retries=3 CMD ["node", "/app/health.mjs"]
ENTRYPOINT ["lincir"]
CMD ["--help"]

# A worker. The torch that PyPI serves brings its CUDA libraries with it; the driver comes from the host.
FROM python:3.11-slim-bookworm
RUN apt-get update && apt-get install -y --no-install-recommends libgl1 libglib2.0-0 \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /app
COPY constraints.txt pyproject.toml README.md LICENSE ATTRIBUTION.md ./
COPY broker broker
COPY workers workers
RUN pip install --no-cache-dir -c constraints.txt '.[worker]'
RUN useradd --create-home farm
USER farm
ENV PYTHONUNBUFFERED=1 OMP_NUM_THREADS=1

# The farm's own processes: API, reconciler, Flower. No torch, no GPU.
FROM python:3.11-slim-bookworm
WORKDIR /app
COPY constraints.txt pyproject.toml README.md LICENSE ATTRIBUTION.md ./
COPY broker broker
COPY farm farm
RUN pip install --no-cache-dir -c constraints.txt '.[farm]'
RUN useradd --create-home farm && mkdir -p /var/lib/farm && chown farm /var/lib/farm
USER farm
ENV PYTHONUNBUFFERED=1

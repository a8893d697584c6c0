"""The process: the ASGI application with all parts, TLS and uvicorn."""

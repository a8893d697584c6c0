"""A local Microsoft Graph, to rehearse pipelines that cancel meetings before they touch a real calendar.

Start it with ``python -m airflow_graph_cancel.sandbox`` or, from a test, with
:class:`airflow_graph_cancel.sandbox.client.Sandbox`. It is built from what is documented and observed of the service,
not from any client, and imports nothing from the rest of this package.

Its parts, from top to bottom; each imports only parts below it:

- ``__main__``: the command line
- ``client``: start or join a sandbox from Python, and its Airflow connections
- ``server``: the ASGI application, TLS and uvicorn
- ``control``: the control API and the front page
- ``graph_api``: Graph's calendar API
- ``entra``: the sign-in service
- ``state``: everything that a running sandbox knows about tenant and traffic
- ``sample_tenant``: Contoso and its meetings
- ``traffic``: messages, Graph's errors, faults, throttling and the ledger
- ``tenant``: mailboxes, meetings and sent mail
- ``behaviour``: settings and guesses
"""

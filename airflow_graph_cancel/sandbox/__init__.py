"""A local Microsoft Graph, to rehearse pipelines that cancel meetings before they touch a real calendar.

Start it with ``python -m airflow_graph_cancel.sandbox`` or, from a test, with
:class:`airflow_graph_cancel.sandbox.client.Sandbox`. It is built from what is documented and observed of the service,
not from any client, and imports nothing from the rest of this package.
"""

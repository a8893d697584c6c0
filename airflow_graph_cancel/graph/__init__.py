"""What Microsoft Graph needs and answers when a meeting is cancelled. Nothing in here imports Airflow."""

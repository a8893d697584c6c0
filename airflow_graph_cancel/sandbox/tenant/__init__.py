"""The organization's data: mailboxes, meetings and their copies, and the mail that was sent. Knows nothing of HTTP."""

"""Stand-ins for Jira, ServiceNow and a ticket system of one's own: for tests and the local cloud."""

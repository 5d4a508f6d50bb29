"""Tickets: a rotation that a ticket asks for, and what the ticket is told about it."""

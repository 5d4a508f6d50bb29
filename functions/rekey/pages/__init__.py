"""Pages for people, drawn from plain data. No I/O."""

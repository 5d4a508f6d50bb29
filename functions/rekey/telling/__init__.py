"""Who hears of it: events, evidence, tickets."""

"""AWS: clients, keys, key policies, who we are."""

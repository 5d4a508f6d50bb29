"""From a request to an open rotation: decide everything before anything is touched."""

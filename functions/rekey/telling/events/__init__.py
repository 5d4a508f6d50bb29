"""Events: requests that come in over EventBridge, and what rekey publishes."""

"""The HTTP and WebSocket interface of an app."""

"""The WebSocket at `/edge`: sessions, their login and filter, private pushes, public channels."""

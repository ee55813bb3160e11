"""What is sent to the console's API in tests to make an account and a route of it."""

SECRET = "very-secret"
ACCOUNT = {
    "id": "main",
    "base_url": "https://api.example.org",
    "ws_url": "wss://contract.example.org/edge",
    "access_key": "mx0vglABCD1234",
    "secret_key": SECRET,
}
ROUTE = {"id": "btc", "accounts": [{"account": "main"}]}

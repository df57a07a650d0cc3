"""Teams on this machine, strict where Teams is strict: for tests, the demo, and one person playing everybody.

    with TeamsServer() as teams:
        teams.courier.request_url = "http://127.0.0.1:8000/api/messages"  # the bot, started with teams.environment()
        answer = teams.client.type(DANA, "help")

It knows nothing of the bot it plays against.
"""

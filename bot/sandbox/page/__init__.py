"""One page on which one person plays everybody, against the bot that runs beside it. The bot does not know of it."""

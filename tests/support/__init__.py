"""What tests stand on. They play the product as it is shipped, with the providers that it has."""

from bot.providers import know_providers

know_providers()

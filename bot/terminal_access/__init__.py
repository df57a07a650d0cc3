"""The door for people at a terminal, who are proved by AWS in place of a chat."""

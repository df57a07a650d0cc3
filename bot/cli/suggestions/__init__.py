"""`prodaccess report --suggest`: what the record says of the policy, as a change that is ready to be read and applied."""

"""What the record says of the policy: rules that it could have, roles that it could do without, owners who answer alone."""

"""What the worker's role in AWS needs for a policy, and what nobody shall do to it: documents of IAM, made of data alone.

Nothing here asks AWS. `worker` is the one source of what the files in deploy/aws say.
"""

"""A forge that holds deployments back until an owner has agreed: web hears GitHub, a worker asks GitLab, and tells both."""

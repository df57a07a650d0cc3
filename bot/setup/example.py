"""The answers of an example that works as it is: `prodaccess init --example-answers`."""

EXAMPLE = """\
# Answers for `prodaccess init --answers FILE`. This example works as it is; change it to what you have.
# connections, groups and roles are written as in the policy folder, so all that they can be there can stand here.
# No secret stands here: tokens and passwords go into .env, or into the environment of the processes.
version: 1

chats: [slack]                          # slack, teams, or both
slack: socket-mode                      # or http, where Slack reaches an address of yours
# teams: {app_id: 00000000-0000-0000-0000-000000000000, tenant_id: 00000000-0000-0000-0000-000000000000}

timezone: Europe/Vienna                 # for schedules and opening hours; UTC unless said
email_domains: [example.com]            # a person is known by one address in these

receipts_channel: C0ACCESSLOG           # every receipt; a list where there are several. Teams: "teams:19:...@thread.tacv2"

connections:                            # where access is given; credentials are never here
  main:
    kind: aws
    region: eu-central-1                # the region in which Identity Center was switched on
    portal: "https://acme.awsapps.com/start"

groups:                                 # people, named once
  platform: {members: [olu@example.com, pat@example.com]}
  security: {members: [sid@example.com, sue@example.com]}
  developers: {members: [dana@example.com, nia@example.com]}
  oncall: {slack_usergroup: S0ONCALLROTA, trusted: true}    # trusted: administrators alone edit user groups in your Slack
  # in place of members: identity_center_group: developers, or entra_group: ID with trusted: true

security: security                      # may revoke everywhere, and agrees to what is an admin's. Left out: two owners agree

roles:                                  # what can be asked for; risk is read, change or admin
  read-only:
    risk: read
    allows: See logs, metrics and settings
    target: {kind: aws-identity-center, permission_set: ReadOnlyAccess}
  deploy:
    risk: change
    allows: Roll a release out or back
    target: {kind: aws-iam-group, user: "{local_part}", group: "{environment}-deployers"}
  admin:
    risk: admin
    allows: Change anything in the account
    danger: can delete data of customers
    target: {kind: aws-identity-center, permission_set: AdministratorAccess}

ticket: '(ORD|INC)-[0-9]+'              # what a change of production names; any like ABC-123 unless said

environments:
  orders-prod:
    title: Orders
    tier: production                    # production, staging or development
    account: "210987654321"
    owners: [platform]                  # may approve; two people at least
    requesters: [developers, oncall]    # may ask; somebody who is no owner among them
    on_call: [oncall]                   # emergency access: at once, seen by everybody, reviewed afterwards
    approvals_channel: C0ORDERSOPS      # left out: the owners get direct messages
    # roles: [read-only]                # all roles unless said
  orders-staging:
    title: Orders
    tier: staging
    account: "321098765432"
    owners: [developers, platform]
    requesters: [developers]

# templates:                            # of roles with the target aws-iam-policy: path -> the text of an IAM policy
#   policies/repair-orders.json: '{"Version": "2012-10-17", "Statement": [...]}'
"""

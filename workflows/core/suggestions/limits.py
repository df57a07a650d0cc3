"""How much of a record it takes. ADR 0068 has the reasons."""

from datetime import timedelta

# Where none of so many was denied, at most one in seven would be (95 %: 3 of 20). Fewer may be chance.
ASKS_MIN = 20
# On so many different days: twenty asks of one evening are one decision.
ASK_DAYS_MIN = 10
# A record that is younger has seen no month's end, and no absence.
RECORD_DAYS_MIN = 30
# A quarter: what is needed once in it shows.
UNUSED_DAYS_MIN = 90
# Each was approved within so long. Whoever takes longer may have asked back, which no rule does.
MINUTES = timedelta(minutes=15)
# Who, what and why cannot be read and weighed faster.
QUICK = timedelta(seconds=10)
# So many answers before somebody is told of as quick over everything.
QUICK_ANSWERS_MIN = 10
# A rule is for a group; of one person's habit nothing follows for others.
REQUESTERS_MIN = 2
# So much of a group has asked, or the record says nothing of the group.
GROUP_SHARE = 0.5
# Each answered so many asks of the other before they are a pair.
PAIR_MIN = 3
# So many answers in an environment before somebody is said to answer alone.
ALONE_MIN = 10

"""How much of a checkout is looked at, and for how long. A checkout is content of others: each of these ends a bomb."""

from __future__ import annotations

# Entries of all folders together, and how deep they stand in each other. More is refused as a whole.
ENTRIES_MAX = 200_000
DEPTH_MAX = 32
# Of files that are read: how many, and how much of them together. More is refused as a whole.
FILES_MAX = 3_000
BYTES_MAX = 24 * 1024 * 1024
# One file. A larger one is left out, and said to be.
FILE_BYTES_MAX = 512 * 1024
# Values of one file, with what its aliases stand for; and how deep they stand in each other.
NODES_MAX = 60_000
NODE_DEPTH_MAX = 60
# Looking through the folders; reading one file as HCL or YAML; all of it.
WALK_S_MAX = 30.0
FILE_S_MAX = 10.0
PARSE_S_MAX = 90.0
# Of Terraform in all: blocks at the top of files, and states; more is refused as a whole.
STANZAS_MAX, STATES_MAX = 60_000, 1_000
# Judging all of it, in seconds of processor time.
THINK_S_MAX = 60.0
# Of the process that reads them: memory in all, processor time in seconds, and how often another one is started.
CHILD_MEMORY_BYTES = 1024 * 1024 * 1024
CHILD_CPU_S = 120
CHILDREN_MAX = 6
# Of its answer about one file, as JSON.
ANSWER_BYTES_MAX = 16 * 1024 * 1024

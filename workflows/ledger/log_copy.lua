-- Copies entries of the audit log, and their words, to another place. Nobody writes meanwhile.
--
-- KEYS  1 audit stream   2 audit private   3 stream to copy to   4 private to copy to
-- ARGV  1 only numbers above this   2 and up to this   3 how many at most
-- Returns the last number that was copied; what was asked for first, where there was none

local found = redis.call('XRANGE', KEYS[1], '(' .. ARGV[1] .. '-0', ARGV[2] .. '-0', 'COUNT', ARGV[3])
local last = ARGV[1]
for _, entry in ipairs(found) do
  last = string.match(entry[1], '^%d+')
  redis.call('XADD', KEYS[3], entry[1], unpack(entry[2]))
  local words = redis.call('HGET', KEYS[2], last)
  if words then redis.call('HSET', KEYS[4], last, words) end
end
return last

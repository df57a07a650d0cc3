-- Takes a lease, or takes it again for who holds it already: a client that lost our first answer asks once more.
-- Preceded by strange.lua.
--
-- KEYS  1 lease   2 tick
-- ARGV  1 token of who asks   2 how long it lives, milliseconds
-- Returns its number, or false where somebody else holds it. Numbers only rise; see commit.lua for the counter.

-- No lease lives longer than one can be taken for: Redis's clock was set back, and nobody may wait until it is there again.
-- Who holds it goes by a clock of their own, and their number is no longer the lease's.
local number, token = lease_at(KEYS[1], tonumber(ARGV[2]))
if number then
  if token ~= ARGV[1] then return false end
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
  return number
end
local time = redis.call('TIME')
number = next_tick(KEYS[2], time[1] * 1000000 + time[2])
redis.call('SET', KEYS[2], number)
redis.call('SET', KEYS[1], number .. ':' .. ARGV[1], 'PX', ARGV[2])
return number

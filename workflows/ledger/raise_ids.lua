-- Raises the counter of requests, so that numbers which were given out before a restore are not given out again. Preceded by
-- strange.lua.
--
-- KEYS  1 ids
-- ARGV  1 the number that counts as given out, at least
-- Returns the last number that counts as given out: what stood there, where it is beyond

local last = math.max(count_of(string_at(KEYS[1])) or 0, tonumber(ARGV[1]))
redis.call('SET', KEYS[1], whole(last))
return whole(last)

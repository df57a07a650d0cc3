-- Closes a bucket for some time; a longer block that stands already stays.
--
-- KEYS  1 bucket
-- ARGV  1 seconds   2 '1': nothing is left in it, since nothing is on the other side;
--         it fills again from the end of these on, or from half a second from now on where that is sooner

local time = redis.call('TIME')
local now = time[1] + time[2] / 1000000
local until_s = now + tonumber(ARGV[1])
local found = redis.pcall('HMGET', KEYS[1], 'blocked_until', 'blocked_at')
if found.err then redis.call('DEL', KEYS[1]) end
if ARGV[2] == '1' then
  -- Not as of later than the bucket's own script believes.
  redis.call('HSET', KEYS[1], 'tokens', '0', 'at', string.format('%.6f', math.min(until_s, now + 0.5)))
end
local standing = tonumber(found[1] or '') or 0
-- What a clock wrote that has been set back since does not stand.
if (tonumber(found[2] or '') or 0) > now + 1 then standing = 0 end
local stays = standing >= until_s and standing < math.huge
if not stays then
  redis.call('HSET', KEYS[1], 'blocked_until', string.format('%.6f', until_s), 'blocked_at', string.format('%.6f', now))
end
local life = math.ceil(tonumber(ARGV[1]) * 1000) + 2000
if redis.call('PTTL', KEYS[1]) < life then redis.call('PEXPIRE', KEYS[1], string.format('%.0f', life)) end
return stays and 0 or 1
